/** What others who watch a run read of this process. */
export const terminal = `terminal (process ${process.pid})`;
