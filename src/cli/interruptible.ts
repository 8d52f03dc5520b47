// Work that Ctrl+C breaks off: what is known by then is shown. A second Ctrl+C ends the process at once.

export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(cancel.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
