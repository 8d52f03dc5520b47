// Images of rollouts: asked for when they come into sight, kept as object URLs, the oldest given up.

import type { ImageRef } from '../../src/protocol/query';
import { h } from '../dom';
import type { Host } from '../host';
import { modelLine } from '../model-text';
import { t } from '../words';

const mostKept = 300;

export class Pictures {
  private readonly urls = new Map<string, Promise<string>>();

  constructor(private readonly host: Host) {}

  /** @param label what a screen reader says of it */
  thumbnail(ref: ImageRef, label: string): HTMLElement {
    return this.image(ref, label, 'thumbnail', () => t('no image'));
  }

  /** A picture in the width that there is; chosen, it is shown at its own size. */
  element(ref: ImageRef, label: string, className: string): HTMLElement {
    const missing = (): string => t('no image: {0}', modelLine(ref.file.split(/[\\/]/).at(-1) ?? ref.file));
    const image = this.image(ref, label, className, missing);
    const open = (): void => {
      if (image.src !== '') showWhole(image);
    };
    return h(
      'button',
      { type: 'button', class: 'picture', title: t('Show it at its own size'), on: { click: open } },
      image,
    );
  }

  private image({ file, inside }: ImageRef, label: string, className: string, missing: () => string): HTMLImageElement {
    const image = h('img', { class: className, alt: label, loading: 'lazy', draggable: 'false' });
    this.url({ file, ...(inside === undefined ? {} : { inside }) }).then(
      url => {
        image.src = url;
      },
      (error: Error) => {
        const note = h('span', { class: `${className} no-picture`, title: `${file}\n${error.message}` }, missing());
        const button = image.closest('.picture');
        (button ?? image).replaceWith(note);
      },
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

/** Until Escape or a click; where it is larger than the window it can be scrolled. */
function showWhole({ src, alt }: HTMLImageElement): void {
  const whole = h('dialog', { class: 'whole-picture', 'aria-label': alt, tabindex: 0 }, h('img', { src, alt }));
  whole.addEventListener('click', () => whole.close());
  whole.addEventListener('close', () => whole.remove());
  // the keys of the view are not for what lies over it
  whole.addEventListener('keydown', event => event.stopPropagation());
  document.body.append(whole);
  whole.showModal();
}
