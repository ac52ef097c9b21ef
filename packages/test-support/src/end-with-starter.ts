// Preloaded into programs that must not outlive the one that started them, however that one ended: kill -9 tells nobody.
const starter = process.ppid
setInterval(() => {
  if (process.ppid !== starter) process.exit(1)
}, 250).unref()
