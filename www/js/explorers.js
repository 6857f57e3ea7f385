// Where a hash can be looked up. An address does not tell its chain, so a link is an offer to look,
// not a claim.

const TZKT = 'https://tzkt.io';

/** Links `[{label, href}]` for a header field. */
export const lookups = {
  rollup_address: (address) => [{ label: 'TzKT', href: `${TZKT}/${encodeURIComponent(address)}` }],
  head_level: (level) => [{ label: 'TzKT', href: `${TZKT}/${encodeURIComponent(level)}` }],
  last_commitment: (hash) => [
    { label: 'TzKT', href: `https://api.tzkt.io/v1/smart_rollups/commitments?hash=${encodeURIComponent(hash)}` },
  ],
};
