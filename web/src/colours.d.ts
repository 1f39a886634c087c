/** What web/colours.mjs reads out of src/report/colours.inc. */
declare module 'fogline-colours' {
  export interface SharedColours {
    edge: string;
    cloud: string;
    network: string;
    split: string;
    found: string;
    encode: string;
    decode: string;
  }
  export const light: SharedColours;
  export const dark: SharedColours;
}
