// Made by wrought from a .worker file: require('node_helper') gives params, config and task_id.
var fs = require('fs');

function argument(name) {
  var at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function read(file) {
  if (!file) {
    return null;
  }
  var text = fs.readFileSync(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch (e) {
    return text; // not JSON: the text itself
  }
}

exports.params = read(argument('-payload') || process.env.PAYLOAD_FILE);
exports.config = read(argument('-config') || process.env.CONFIG_FILE);
exports.task_id = argument('-id') || process.env.TASK_ID || null;
