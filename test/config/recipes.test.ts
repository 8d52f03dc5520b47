import assert from 'node:assert/strict';
import { readCurriculum } from '../../src/config/curriculum';
import { recipes, writeRecipe } from '../../src/config/recipes';

describe('recipes', () => {
  const fill = {
    name: 'rooms',
    model: 'Qwen2.5-VL-3B-Instruct',
    data: 'rooms.jsonl',
    fields: {},
    answer: 'choice',
  } as const;

  for (const recipe of recipes) {
    it(`${recipe.id} is a curriculum as it stands`, () => {
      const read = readCurriculum(writeRecipe(recipe, fill), '/rooms/curriculum.yaml', [], { files: 'unchecked' });
      assert.deepEqual('diagnostics' in read ? read.diagnostics : [], []);
      assert.ok('loaded' in read);
      assert.equal(read.loaded.config.name, 'rooms');
      assert.ok(read.loaded.config.phases.length > 0);
    });
  }

  it('keep names that YAML would read as something else', () => {
    const [recipe] = recipes;
    assert.ok(recipe);
    const odd = { ...fill, name: '12', data: 'my: data #1.jsonl', fields: { question: 'input text', answer: 'yes' } };
    const read = readCurriculum(writeRecipe(recipe, odd), '/rooms/curriculum.yaml', [], { files: 'unchecked' });
    assert.ok('loaded' in read, JSON.stringify(read));
    assert.equal(read.loaded.config.name, '12');
    assert.match(read.loaded.config.data['train']?.path ?? '', /my: data #1\.jsonl$/);
    assert.equal(read.loaded.config.data['train']?.fields.question, 'input text');
  });
});
