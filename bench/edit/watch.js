// Runs in the page that is measured, before its own scripts: writes down when a rollout was asked for by key, when it came,
// and when the frame that shows it was done.

globalThis.watched = { asked: 0, arrived: 0, painted: 0 };

/** After the frame that is drawn next, once `there` holds. */
const afterFrame = (then, there = () => true) =>
  requestAnimationFrame(() => {
    if (!there()) return afterFrame(then, there);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(null);
  });

const isShown = () => document.querySelector('.step[aria-current]') !== null;

addEventListener('keydown', ({ timeStamp }) => Object.assign(watched, { asked: timeStamp, arrived: 0 }), true);

addEventListener('message', ({ data }) => {
  if (data?.kind !== 'result' || data.result?.completion === undefined || watched.arrived > 0) return;
  watched.arrived = performance.now();
  // what comes into view is drawn in the frame after the first
  afterFrame(
    () =>
      afterFrame(() => {
        watched.painted = performance.now();
        console.log('painted');
      }),
    isShown,
  );
});
