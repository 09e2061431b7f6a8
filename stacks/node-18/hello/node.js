// Proves the stack: says what runs it, and what the task was given.
'use strict';

const fs = require('fs');

console.log(`hello from node-18: Node ${process.version}, uid ${process.getuid()}`);
console.log('arguments:', ...process.argv.slice(2));
if (process.env.PAYLOAD_FILE) {
    console.log('payload:', fs.readFileSync(process.env.PAYLOAD_FILE, 'utf8'));
}
