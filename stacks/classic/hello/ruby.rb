# Proves the stack: says what runs it, and what the task was given.
require 'json'
require 'net/https'

puts "hello from classic: Ruby #{RUBY_VERSION}, uid #{Process.uid}"
puts "arguments: #{ARGV.join(' ')}"
puts "payload: #{File.read(ENV['PAYLOAD_FILE'])}" if ENV['PAYLOAD_FILE']
