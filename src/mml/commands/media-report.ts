import type { MediaStreamStats } from '../../media/types.js';
import type { ReportSpec, Row } from '../registry/command.js';
import { text } from '../text.js';

/** Media streams of a call or of its record. */
export const mediaReport: ReportSpec = {
  name: 'media',
  title: text('Media', '媒体'),
  layout: 'table',
  columns: [
    { key: 'index', title: text('Stream', '流') },
    { key: 'kind', title: text('Kind', '类型') },
    { key: 'codec', title: text('Codec', '编码') },
    { key: 'relay', title: text('Relay', '中继') },
    { key: 'addressA', title: text('Caller at', '主叫地址') },
    { key: 'addressB', title: text('Callee at', '被叫地址') },
    { key: 'packetsFromA', title: text('From caller', '主叫发包') },
    { key: 'packetsFromB', title: text('From callee', '被叫发包') },
    { key: 'dropped', title: text('Dropped', '丢弃') },
  ],
};

/** Streams as rows. */
export const mediaRows = (streams: readonly MediaStreamStats[]): Row[] =>
  streams.map((stream) => ({ ...stream }));
