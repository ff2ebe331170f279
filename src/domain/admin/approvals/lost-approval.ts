/** The write of an act lost its approval: it has to be looked at anew. */
export class LostApproval extends Error {
  override name = "LostApproval";
}
