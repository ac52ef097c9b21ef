// Preloaded into programs that must not outlive the one that started them, however that one ended: kill -9 tells nobody.
const starter = process.ppid
setInterval(() => {
  // What runs at an exit may wait for readers who are gone, too.
  if (process.ppid !== starter) process.kill(process.pid, 'SIGKILL')
}, 250).unref()
