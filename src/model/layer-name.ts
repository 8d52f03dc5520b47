/** The name that parameters of a layer of the language model begin with. */
export const layerName = (i: number): string => `model.language_model.layers.${i}`;
