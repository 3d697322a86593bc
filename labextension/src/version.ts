/* From package.json by `jlpm types`. */
export const VERSION = '0.1.0';
