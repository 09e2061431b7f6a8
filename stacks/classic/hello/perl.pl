# Proves the stack: says what runs it, and what the task was given.
use strict;
use warnings;
use JSON::PP;

printf "hello from classic: Perl %vd, uid %d\n", $^V, $>;
print "arguments: @ARGV\n";
if ( $ENV{PAYLOAD_FILE} ) {
    open my $file, '<', $ENV{PAYLOAD_FILE} or die "payload: $!\n";
    print 'payload: ', <$file>, "\n";
}
