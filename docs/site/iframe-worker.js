// Browsers start no worker from a file. There the site's search runs in a hidden frame, which is given a worker's ways.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { hidden: true }));
      const inside = (this.inside = frame.contentWindow);
      const script = source =>
        new Promise((loaded, failed) => {
          const element = Object.assign(inside.document.createElement("script"), { src: source, onload: loaded, onerror: failed });
          inside.document.body.appendChild(element);
        });
      inside.importScripts = (...sources) => sources.reduce((before, source) => before.then(() => script(source)), Promise.resolve());
      inside.postMessage = data => {
        const event = new MessageEvent("message", { data: structuredClone(data) });
        this.dispatchEvent(event);
        this.onmessage?.(event);
      };
      this.ready = script(address);
      this.terminate = () => frame.remove();
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data: structuredClone(data) })));
    }
  };
