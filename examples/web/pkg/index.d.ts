/** Loads the WebAssembly module: from the file next to this one, or from what is given. */
export function load(source?: BufferSource | Response | URL | string): Promise<Bolt12>;

export interface Bolt12 {
  /** What a pasted text says: a message alone, or a link or a name. */
  decode(text: string, options?: Clock): Message | Uri | Invalid;
  /** What a pasted text asks for, as a link, whatever its form. */
  uri(text: string): Uri | Invalid;
  /** Where two messages differ, and whether one answers the other. */
  compare(a: string, b: string, options?: Clock): Comparison | Invalid;
  /** Whether `answer` (a request, an invoice, a payer proof) answers `question` (an offer, a request, an invoice). */
  verify(question: string, answer: string, options?: Clock): Verified | Invalid;
  /** The QR codes of a text; several are scanned in their order and joined. Throws where there is none. */
  qr(text: string): QrCode[];
  /** The texts of the QR codes in a picture in grey, one byte a pixel. */
  scan(grey: Uint8Array | Uint8ClampedArray, width: number): string[];
}

export interface Clock {
  /** The time to judge expiry by, in unix seconds; the present time when absent. */
  now?: number;
}

/** A message that was read and validated. Each field is there under its name in the specification. */
export interface Message {
  valid: true;
  type:
    | 'bolt12 offer'
    | 'bolt12 invoice_request'
    | 'bolt12 invoice'
    | 'bolt12 payer_proof'
    | 'draft offer'
    | 'draft invoice_request'
    | 'draft invoice';
  /** The text in lower case, without breaks. */
  text: string;
  merkle_root: string;
  records: MessageRecord[];
  explanation: Explanation;
  [field: string]: unknown;
}

export interface MessageRecord {
  type: number;
  name: string | null;
  hex: string;
}

/** A message for people. Nothing in it can forge a line. */
export interface Explanation {
  verdict: string;
  fields: (MessageRecord & { known: boolean; meaning: string; details: string[] })[];
}

/** A link, a name, or a text with one instruction. Not valid where an instruction cannot be read. */
export interface Uri {
  valid: boolean;
  type: 'uri';
  form: 'bare' | 'lightning' | 'bitcoin';
  /** The link for people, in one sentence. Nothing in it can forge a line. */
  verdict: string;
  text: string;
  /** msat */
  amount?: number;
  label?: string;
  message?: string;
  proof_of_payment?: { link: string; required: boolean; may_be_opened: boolean };
  instructions: Instruction[];
  ignored?: [string, string | null][];
}

export interface Instruction {
  type: string;
  key?: string;
  text?: string;
  chain?: string;
  dns_name?: string;
  error?: Fault;
  explanation?: Explanation;
  [field: string]: unknown;
}

export interface Invalid {
  valid: false;
  error: Fault;
  /** The argument that is not valid, where there are two. */
  of?: 'a' | 'b' | 'question' | 'answer';
}

export interface Fault {
  message: string;
  /** A stable name of the kind, in kebab case. */
  code: string;
  field?: string;
  type?: number;
  /** The first character at fault and the one after the last, counted as pasted (in code points). */
  text_range?: [number, number];
  /** A byte of the TLV stream. */
  stream_offset?: number;
  /** What probably happened to the text. */
  hint?: string;
}

export interface Comparison {
  valid: true;
  differences: { type: number; name: string | null; a: string | null; b: string | null }[];
  /** Where one can answer the other: whether it does. */
  answers?: boolean;
  /** The rule that breaks first. */
  error?: string;
  a: Explanation;
  b: Explanation;
}

export interface Verified {
  valid: true;
  answers: boolean;
  /** The rule that breaks first. */
  error?: string;
}

export interface QrCode {
  text: string;
  /** Modules on each side, without the border. */
  width: number;
  svg: string;
}
