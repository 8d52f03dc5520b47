import assert from 'node:assert/strict';
import { footprint } from '../../src/tensor/footprint';
import { Graph } from '../../src/tensor/graph';
import * as o from '../../src/tensor/ops';

describe('the footprint of a graph', () => {
  it('counts values from the node that makes them to the last that reads them', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', ['rows', 4]);
    const wide = o.linear(x, g.input('w', 'float32', [100, 4]));
    const narrow = o.linear(wide, g.input('v', 'float32', [4, 100]));
    g.output('y', o.linear(narrow, g.input('u', 'float32', [8, 4])));
    // wide and narrow are there together; wide is gone when the result is made
    const rows = new Map([['rows', 10]]);
    assert.deepEqual(footprint(g, rows), { peak: 4 * 10 * (100 + 4), outputs: 4 * 10 * 8 });
  });

  it('counts views and what is written over once, and the widened copy of a float16', () => {
    const g = new Graph();
    const w = o.cast(g.input('w', 'float16', [6, 10]), 'float32');
    const y = o.linear(g.input('x', 'float32', ['rows', 10]), w);
    g.output('y', o.exp(o.reshape(y, [o.product('rows', 6)])));
    assert.equal(footprint(g, new Map([['rows', 5]])).peak, 4 * (60 + 30));
  });

  it('counts all that is widened from the beginning', () => {
    const g = new Graph();
    const w = o.widened(g.input('w', 'float16', [6, 10]));
    const v = o.widened(g.input('v', 'float16', [3, 6]));
    g.output('y', o.linear(o.linear(g.input('x', 'float32', ['rows', 10]), w), v));
    assert.equal(footprint(g, new Map([['rows', 5]])).peak, 4 * (60 + 18 + 30));
  });

  it('leaves out what no output needs', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    o.concat([x, x], 0);
    g.output('y', o.exp(x));
    assert.equal(footprint(g, new Map()).peak, 8);
  });
});
