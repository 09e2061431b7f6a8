// session.js PACKAGE-DIR: a program that uses IronWorker, by the npm package iron_worker. Prints a line
// per check: what was checked, a tab, what is wrong (nothing if it holds).
'use strict';
const { promisify } = require('util');
const { Client } = require('iron_worker');

const client = new Client();
const call = (name, ...args) => promisify(client[name]).apply(client, args);
const refusal = (name, ...args) => call(name, ...args).then(() => 'nothing', (error) => error.message);

function is(got, want, name) {
  const [left, right] = [got, want].map((value) => JSON.stringify(value));
  console.log(name + '\t' + (left === right ? '' : `${left}, want ${right}`));
}

async function code(directory) {
  const upload = await call('codesUpload', 'node/hello', directory, 'worker.js');
  is(upload.msg, 'Upload successful.', 'a package is uploaded');
  const codes = await call('codesList', {});
  is(codes.map((one) => [one.id, one.name, one.rev]), [[upload.id, 'node/hello', 1]], 'the code is listed');
  is((await call('codesGet', upload.id)).name, 'node/hello', 'the code can be had');
  is((await call('codesRevisions', upload.id, {})).map((one) => one.rev), [1], 'its revisions, too');
  return upload.id;
}

async function run() {
  const { id } = await call('tasksCreate', 'node/hello', { who: 'world' }, { priority: 1, label: 'first' });
  const task = await call('tasksWaitFor', id, {});
  is([task.status, task.label, task.priority], ['complete', 'first', 1], 'a task is queued and waited for');
  is(await call('tasksLog', id), `hello, world, from task ${id}\n`, 'its log can be read at once');
  is(await call('tasksStdout', id), `hello, world, from task ${id}\n`, 'its stdout, too');
  const out = await call('tasksRun', 'node/hello', { who: 'you' }, {});
  is(out.replace(/[0-9a-f]{24}/, 'ID'), 'hello, you, from task ID\n', 'a task is run for its output');
}

async function fail() {
  const { id } = await call('tasksCreate', 'node/hello', { who: 'no one', fail: true }, {});
  is(/hello, no one.*\nno luck today\n$/.test(await call('tasksWaitForLog', id, { tries: 30, sleep: 0.1 })), true,
    'the log of a failing task is waited for');
  const task = await call('tasksGet', id);
  is([task.status, task.msg.trim()], ['error', 'no luck today'], 'it failed, and says why');
}

async function again() {
  const { id } = await call('tasksCreate', 'node/hello', { who: 'all' }, { delay: 3600 });
  is((await call('tasksSetProgress', id, { percent: 40, msg: 'soon' })).msg, 'Progress set', 'progress is set');
  const task = await call('tasksGet', id);
  is([task.percent, task.msg], [40, 'soon'], 'and shown');
  const retry = await call('tasksRetry', id, 0);
  is(retry.msg, 'Queued up', 'a task is tried again');
  const second = await call('tasksWaitFor', retry.tasks[0].id, {});
  is([second.status, second.original_task_id], ['complete', id], 'the second one runs, and names the first');
  await call('tasksCancel', id);
}

async function cancel(codeId) {
  const later = { codeName: 'node/hello', payload: { who: 'x' }, options: { delay: 3600 } };
  const first = await call('tasksCreateBulk', [later, later, later]);
  is(await refusal('tasksLog', first.id), '{"msg":"Log not found"}', 'a delayed task has no log yet');
  is(await call('tasksCancel', first.id), { msg: 'Cancelled' }, 'it is cancelled');
  is((await call('tasksGet', first.id)).status, 'cancelled', 'which shows at once');
  is((await call('tasksList', { queued: 1 })).length, 2, 'the others of its batch still wait');
  is(await call('tasksCancelAll', codeId), { msg: 'Cancelled' }, 'all are cancelled');
  is((await call('tasksList', { cancelled: 1 })).length, 4, 'and listed as such');
}

async function end(codeId) {
  is(await refusal('tasksGet', '000000000000000000000000'), '{"msg":"task not found"}', 'a refusal reaches the caller');
  is((await call('codesDelete', codeId)).msg, 'Deleted', 'the code is deleted');
  is(await call('codesList', {}), [], 'and gone');
}

async function main() {
  const codeId = await code(process.argv[2]);
  await run();
  await fail();
  await again();
  await cancel(codeId);
  await end(codeId);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
