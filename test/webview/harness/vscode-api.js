// Stands in for VS Code in a page of the browser harness: messages go to its server, the state to the session's storage.

{
  const { state, strings } = JSON.parse(document.body.dataset.harness);
  const page = crypto.randomUUID();
  const key = `state of ${location.pathname}`;
  const tell = message => window.postMessage(message, '*');
  const send = message =>
    fetch('/message', { method: 'POST', body: JSON.stringify({ page, message }) }).then(async response => {
      let rest = '';
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) return;
        const lines = (rest + value).split('\n');
        rest = lines.pop();
        for (const line of lines) tell(JSON.parse(line));
      }
    });
  let taken = false;
  globalThis.acquireVsCodeApi = () => {
    if (taken) throw new Error('An instance of the VS Code API has already been acquired');
    taken = true;
    return {
      postMessage: message => {
        // as in VS Code, what is not JSON does not come through
        if (message.kind === 'ready') tell({ kind: 'init', state, strings });
        send(message);
      },
      getState: () => JSON.parse(sessionStorage.getItem(key)) ?? undefined,
      setState: kept => sessionStorage.setItem(key, JSON.stringify(kept)),
    };
  };
  new EventSource('/told').addEventListener('message', ({ data }) => tell(JSON.parse(data)));
}
