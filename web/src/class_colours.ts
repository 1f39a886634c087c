// A colour for each class of boxes: Okabe and Ito's, which stay apart with any colour vision, in the lightness that stands out on a
// picture with a dark edge around it; so they are the same on light and dark pages.
const colours = ['#e69f00', '#56b4e9', '#2ec08e', '#f0e442', '#4d8dff', '#ff7043', '#e79ac6', '#d9d9d9'];
export const classColours: readonly string[] = colours;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Hands a class the colour that its name asks for, or if another class has it, the next free one: so the classes met first, which are
 *  those found most, look the same whenever the page is opened. From the ninth on colours are shared. */
export class ClassColours {
  private readonly places = new Map<string, number>();

  of(label: string): string {
    return colours[this.place(label) % colours.length]!;
  }
  /** Meets classes in an order of importance. */
  meet(labels: string[]): void {
    for (const label of labels.slice(0, colours.length)) this.place(label);
  }

  private place(label: string): number {
    const known = this.places.get(label);
    if (known !== undefined) return known;
    const wished = hash(label) % colours.length;
    const taken = new Set(this.places.values());
    let place = wished;
    for (let i = 0; i < colours.length && taken.has(place); i += 1) place = (wished + i) % colours.length;
    if (taken.has(place)) place = wished;
    this.places.set(label, place);
    return place;
  }
}

export const classColour = new ClassColours();
