// What Node had when the clients were written, loaded before them: until Node 10 the last argument
// noAssert let writeInt32LE take unsigned numbers, which adm-zip 0.4.4 counts on for half of all CRCs.
'use strict';
const write = Buffer.prototype.writeInt32LE;

Buffer.prototype.writeInt32LE = function writeInt32LE(value, offset, noAssert) {
  return write.call(this, noAssert ? value | 0 : value, offset);
};
