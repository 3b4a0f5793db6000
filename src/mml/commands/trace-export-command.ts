import { messageLines } from '../../trace/message-text.js';
import { pcapFile } from '../../trace/pcap.js';
import type { WireMessage } from '../../trace/types.js';
import { wireLadder } from '../../trace/wire-ladder.js';
import { datedName } from '../exchange-files.js';
import { defineCommand } from '../registry/command.js';
import { oneOf } from '../registry/param-types.js';
import { printable } from '../report/printable.js';
import { text } from '../text.js';
import { fileReport, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';
import { CALLID, messagesOfCall, tracesOf } from './traced-messages.js';

/** Columns of the ladder in a file. */
const FILE_WIDTH = 120;

/** `EXP TRACE`: what a trace kept, or one call of it, as a file for Wireshark or for people. */
export const exportTrace = defineCommand({
  verb: 'EXP',
  object: 'TRACE',
  purpose: text(
    'Write what a trace kept, or one call of it, to a file: PCAP for Wireshark, or TEXT with ladder and messages',
    '导出跟踪结果或其中一个呼叫：PCAP 供 Wireshark 读取，TEXT 含流程图与消息全文',
  ),
  params: {
    CALLID,
    FORMAT: {
      type: oneOf(['PCAP', 'TEXT']),
      purpose: text('Kind of file', '文件格式'),
      default: 'PCAP',
    },
    FILE: { ...OUTPUT_FILE, example: 'call.pcap' },
    OVERWRITE,
  },
  reports: [fileReport],
  examples: [
    'EXP TRACE',
    'EXP TRACE: CALLID="a84b4c76e66710@pc33", FILE=call.pcap, OVERWRITE=YES',
    'EXP TRACE: CALLID="a84b4c76e66710@pc33", FORMAT=TEXT',
  ],
  async handler(
    { services, console, clock },
    { CALLID: wanted, FORMAT: format, FILE: file, OVERWRITE: overwrite },
  ) {
    const { messages: kept } = await tracesOf(services).read();
    const messages = wanted === undefined ? kept : await messagesOfCall(services, kept, wanted);
    const name = file ?? datedName('trace', clock.now(), format === 'PCAP' ? 'pcap' : 'txt');
    const pieces = format === 'PCAP' ? pcapFile(messages) : textFile(messages);
    const written = await console.files.write(name, pieces, overwrite);
    return { sections: [{ report: fileReport, rows: [{ ...written, rows: messages.length }] }] };
  },
});

function* textFile(messages: readonly WireMessage[]): Generator<string> {
  yield `${wireLadder(messages, { width: FILE_WIDTH })}\n`;
  for (const message of messages) yield `${messageLines([message]).map(printable).join('\n')}\n`;
}
