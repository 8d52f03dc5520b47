// KaTeX for formulas of a trace, as a part of its own: it is longer than all the rest of the page.

import katex from 'katex';

Object.assign(globalThis, { katex });
