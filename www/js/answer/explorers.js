// Where people can look something up. An address does not tell its chain, so a link names the chain that it looks on: an
// offer to look, not a claim. Only pages for people: a commitment has none, it is found on the page of its rollup.

const CHAINS = [
  { chain: 'Tezos Mainnet', place: 'https://tzkt.io' },
  { chain: 'Tezos Ghostnet', place: 'https://ghostnet.tzkt.io' },
];

const onEach = (value) =>
  CHAINS.map(({ chain, place }) => ({ label: `${chain}: TzKT`, href: `${place}/${encodeURIComponent(value)}` }));

/** Links `[{label, href}]` for a header field. */
export const lookups = { rollup_address: onEach, head_level: onEach };
