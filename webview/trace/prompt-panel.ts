// What was asked: the question with its images and caption, the gold answer beside what was answered; the prompt word for
// word folded below.

import type { ImageRef, RolloutDetail } from '../../src/protocol/query';
import { h } from '../dom';
import { modelText } from '../model-text';
import { t } from '../words';

/** @param imageOf the bytes of an image as a URL that the page may show */
export function promptPanel(detail: RolloutDetail, imageOf: (image: ImageRef) => Promise<string>): HTMLElement {
  const { question, caption, gold, answer, outcome, prompt, images } = detail;
  const entry = (name: string, text: string | null): readonly HTMLElement[] => [
    h('dt', {}, name),
    text === null
      ? h('dd', { class: 'missing' }, t('not recorded'))
      : h('dd', { class: 'model-text' }, ...modelText(text, 4000)),
  ];
  return h(
    'section',
    { class: 'prompt-panel', 'aria-label': t('Prompt') },
    images.length > 0 &&
      h('div', { class: 'images' }, ...images.map((image, i) => picture(image, i, images.length, imageOf))),
    h(
      'dl',
      { class: 'asked' },
      ...entry(t('Question'), question ?? prompt),
      ...(caption === null ? [] : entry(t('Caption'), caption)),
      ...entry(t('Gold answer'), gold),
      ...entry(t('Answered'), answer),
      h('dt', {}, t('Outcome')),
      h(
        'dd',
        { class: outcome === 'right' ? 'positive' : outcome === 'wrong' ? 'negative' : '' },
        outcome === null ? t('not recorded') : t(outcome),
      ),
    ),
    prompt !== null &&
      h(
        'details',
        {},
        h('summary', {}, t('The prompt as the model saw it')),
        h('pre', { class: 'model-text' }, ...modelText(prompt)),
      ),
  );
}

function picture(
  image: ImageRef,
  index: number,
  of: number,
  imageOf: (image: ImageRef) => Promise<string>,
): HTMLElement {
  const label = of === 1 ? t('The image that was shown') : t('Image {0} of {1} that were shown', index + 1, of);
  const element = h('img', { alt: label, class: 'prompt-image' });
  imageOf(image).then(
    url => {
      element.src = url;
    },
    () => element.replaceWith(h('p', { class: 'missing' }, t('The image could not be read: {0}', image.file))),
  );
  return element;
}
