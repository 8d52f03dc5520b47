// Shapes of models to try sizes with: config.json as the family publishes it. That of 3b is Qwen2.5-VL-3B-Instruct's but for
// the ids of special tokens, which are those of the small tokenizer that stands in for its own.

export const shapeNames = ['1m', '100m', '0.5b', '3b'] as const;

export type ShapeName = (typeof shapeNames)[number];

interface Shape {
  readonly text: {
    readonly hidden: number;
    readonly layers: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly intermediate: number;
    readonly vocabulary: number;
    readonly mropeSection: readonly number[];
  };
  readonly vision: {
    readonly depth: number;
    readonly hidden: number;
    readonly heads: number;
    readonly intermediate: number;
    readonly full: readonly number[];
  };
}

const shapes: Readonly<Record<ShapeName, Shape>> = {
  '1m': {
    text: { hidden: 128, layers: 4, heads: 4, kvHeads: 2, intermediate: 384, vocabulary: 512, mropeSection: [4, 6, 6] },
    vision: { depth: 4, hidden: 64, heads: 4, intermediate: 128, full: [1, 3] },
  },
  '100m': {
    text: {
      hidden: 640,
      layers: 12,
      heads: 10,
      kvHeads: 2,
      intermediate: 2560,
      vocabulary: 32_000,
      mropeSection: [8, 12, 12],
    },
    vision: { depth: 8, hidden: 320, heads: 4, intermediate: 864, full: [3, 7] },
  },
  // the language model has the sizes of Qwen2.5-0.5B
  '0.5b': {
    text: {
      hidden: 896,
      layers: 24,
      heads: 14,
      kvHeads: 2,
      intermediate: 4864,
      vocabulary: 151_936,
      mropeSection: [8, 12, 12],
    },
    vision: { depth: 8, hidden: 640, heads: 8, intermediate: 1728, full: [3, 7] },
  },
  '3b': {
    text: {
      hidden: 2048,
      layers: 36,
      heads: 16,
      kvHeads: 2,
      intermediate: 11_008,
      vocabulary: 151_936,
      mropeSection: [16, 24, 24],
    },
    vision: { depth: 32, hidden: 1280, heads: 16, intermediate: 3420, full: [7, 15, 23, 31] },
  },
};

/** @param layers of the language model and of the vision tower, where fewer than the shape has are wanted */
export function configOf(name: ShapeName, layers = Number.POSITIVE_INFINITY): Readonly<Record<string, unknown>> {
  const { text, vision } = shapes[name];
  const depth = Math.min(layers, vision.depth);
  return {
    architectures: ['Qwen2_5_VLForConditionalGeneration'],
    model_type: 'qwen2_5_vl',
    hidden_act: 'silu',
    hidden_size: text.hidden,
    intermediate_size: text.intermediate,
    num_hidden_layers: Math.min(layers, text.layers),
    num_attention_heads: text.heads,
    num_key_value_heads: text.kvHeads,
    vocab_size: text.vocabulary,
    max_position_embeddings: 128_000,
    max_window_layers: 70,
    sliding_window: 32_768,
    use_sliding_window: false,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    rope_scaling: { type: 'mrope', mrope_section: text.mropeSection },
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    image_token_id: 312,
    video_token_id: 313,
    vision_start_token_id: 309,
    vision_end_token_id: 310,
    vision_config: {
      depth,
      hidden_act: 'silu',
      hidden_size: vision.hidden,
      intermediate_size: vision.intermediate,
      num_heads: vision.heads,
      in_chans: 3,
      patch_size: 14,
      spatial_merge_size: 2,
      temporal_patch_size: 2,
      tokens_per_second: 2,
      window_size: 112,
      out_hidden_size: text.hidden,
      // of a tower that was cut, the last block attends over the whole image, as the last of a whole one does
      fullatt_block_indexes: depth < vision.depth ? [depth - 1] : vision.full,
    },
  };
}
