// Preloaded into processes that must not outlive their parent, even when it was killed with `kill -9`.
const parent = process.ppid
setInterval(() => {
  // Not `process.exit`: exit handlers may wait for readers that no longer exist.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, 250).unref()
