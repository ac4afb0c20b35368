/** Calls `what` in a task of its own, after the taps that wait; answers how to call that off. A timer would be held back in a
 *  page that nobody sees. */
export function nextTask(what: () => void): () => void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    what();
  };
  port2.postMessage(null);
  return () => port1.close();
}
