const SDP = 'v=0\r\n';
const PEER = { signallingAddress: '127.0.0.1' };

/** An answered call as it is kept, but for its legs. */
export const SAVED_CALL = {
  v: 1,
  legCount: 2,
  parties: { caller: '1001', callee: '1002', dialled: '1002' },
  answerTime: 1,
  held: [],
  media: {
    agreed: {
      offerer: 'a',
      offer: SDP,
      offerPeer: PEER,
      answer: SDP,
      answerPeer: PEER,
      told: { a: SDP, b: SDP },
    },
    session: {
      relay: 'embedded',
      relayCallId: 'c',
      attempts: 0,
      ports: { a: {}, b: {} },
      origins: { a: { sessId: '1', sessVersion: 1 }, b: { sessId: '2', sessVersion: 1 } },
      codecs: {},
    },
  },
};
