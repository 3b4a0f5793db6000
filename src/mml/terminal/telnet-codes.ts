/** Telnet commands (RFC 854; EOF and ABORT from RFC 1184). */
export const EOF = 236;
export const SE = 240;
export const NOP = 241;
export const BRK = 243;
export const IP = 244;
export const AYT = 246;
export const EC = 247;
export const EL = 248;
export const SB = 250;
export const WILL = 251;
export const WONT = 252;
export const DO = 253;
export const DONT = 254;
export const IAC = 255;

/** Telnet options that are known here. */
export const OPTION_BINARY = 0; // RFC 856
export const OPTION_ECHO = 1; // RFC 857
export const OPTION_SGA = 3; // RFC 858
export const OPTION_TTYPE = 24; // RFC 1091
export const OPTION_NAWS = 31; // RFC 1073
