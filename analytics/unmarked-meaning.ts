/** What it may mean that a flagged host goes on without a mark: said wherever it is shown. */
export const unmarkedMeaning =
  "The mark was cleared on purpose, or software with root's rights took it away, or another host has the address now, or the packets were captured behind a point that takes marks off.";
