// How smooth the curves are drawn: nothing but the picture changes.

import type { SharedAxis } from '../components/shared-axis';
import { h } from '../dom';
import { t } from '../words';

export class SmoothingSlider {
  private readonly input = h('input', { type: 'range', min: 0, max: 0.98, step: 0.02, id: 'smoothing' });
  private readonly value = h('span', { class: 'slider-value' });
  readonly element = h('label', { for: 'smoothing', class: 'slider' }, t('Smoothing'), this.input, this.value);

  constructor(private readonly axis: SharedAxis) {
    this.input.value = String(axis.smoothing);
    this.show();
    this.input.addEventListener('input', () => {
      axis.smooth(Number(this.input.value));
      this.show();
    });
  }

  private show(): void {
    this.value.textContent = this.axis.smoothing === 0 ? t('off') : this.axis.smoothing.toFixed(2);
  }
}
