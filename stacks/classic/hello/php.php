<?php
// Proves the stack: says what runs it, and what the task was given.
// The modules are those that packages of old clients count on.
foreach (['curl', 'json', 'mbstring', 'openssl', 'xml', 'zip'] as $module) {
    extension_loaded($module) or exit("the module $module is missing\n");
}
echo 'hello from classic: PHP ', PHP_VERSION, ', uid ', posix_getuid(), "\n";
echo 'arguments: ', implode(' ', array_slice($argv, 1)), "\n";
if (getenv('PAYLOAD_FILE')) {
    echo 'payload: ', file_get_contents(getenv('PAYLOAD_FILE')), "\n";
}
