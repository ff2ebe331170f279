/** How roles and groups are named. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

export const isName = (text: string): boolean => NAME.test(text);
