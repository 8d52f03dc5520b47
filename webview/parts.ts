// Parts of a page's script that its first look need not wait for: files beside the script, each loaded once when it is
// wanted. They come in by the page's own nonce, as the script did.

const own = document.currentScript as HTMLScriptElement | null;
const parts = new Map<string, Promise<void>>();

/** Rejects where it cannot be loaded. */
export function part(name: 'katex' | 'toolkit'): Promise<void> {
  const known = parts.get(name);
  if (known !== undefined) return known;
  const loaded = new Promise<void>((resolve, reject) => {
    const script = document.createElement('script');
    script.nonce = own?.nonce ?? '';
    script.src = new URL(`${name}.js`, own?.src).href;
    script.addEventListener('load', () => resolve());
    script.addEventListener('error', () => reject(new Error(`${script.src} cannot be loaded`)));
    document.head.append(script);
  });
  parts.set(name, loaded);
  return loaded;
}
