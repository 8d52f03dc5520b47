// Images of rollouts: asked for when they come into sight, kept as object URLs, the oldest given up.

import type { ImageRef } from '../../src/protocol/query';
import { h } from '../dom';
import type { Host } from '../host';
import { t } from '../words';

const mostKept = 300;

export class Pictures {
  private readonly urls = new Map<string, Promise<string>>();

  constructor(private readonly host: Host) {}

  /** @param label what a screen reader says of it */
  element({ file, inside }: ImageRef, label: string, className: string): HTMLElement {
    const image = h('img', { class: className, alt: label, loading: 'lazy', draggable: 'false' });
    this.url({ file, ...(inside === undefined ? {} : { inside }) }).then(
      url => {
        image.src = url;
      },
      () => image.replaceWith(h('span', { class: `${className} no-picture`, title: file }, t('no image'))),
    );
    return image;
  }

  private url(ref: ImageRef): Promise<string> {
    const key = JSON.stringify(ref);
    const known = this.urls.get(key);
    if (known !== undefined) {
      this.urls.delete(key);
      this.urls.set(key, known);
      return known;
    }
    const asked = this.host.request('image', ref).then(({ mime, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
      return URL.createObjectURL(new Blob([bytes], { type: mime }));
    });
    this.urls.set(key, asked);
    asked.catch(() => this.urls.delete(key));
    const [oldest] = this.urls;
    if (this.urls.size > mostKept && oldest !== undefined) {
      this.urls.delete(oldest[0]);
      oldest[1].then(URL.revokeObjectURL, () => undefined);
    }
    return asked;
  }
}
