import { CALL_RESULTS, type CallRecord, type RecordService } from '../../cdr/types.js';
import type { RecordQuery } from '../../store/types.js';
import { MAX_ROWS } from '../limits.js';
import type { Row } from '../registry/command.js';
import { type Bilingual, text } from '../text.js';

/** Records counted in one go; beyond it the report says that it is partial. */
const MAX_COUNTED = 200_000;

interface Totals {
  calls: number;
  readonly results: Record<string, number>;
  billSec: number;
  pddMs: number;
  pddCount: number;
}

/** Counts records page by page, so that a million never stands in memory. Stops when `signal` is aborted. */
export async function countRecords(
  records: RecordService,
  query: RecordQuery,
  signal: AbortSignal,
): Promise<{ row: Row; note: Bilingual | undefined }> {
  const results = Object.fromEntries(CALL_RESULTS.map((result) => [result, 0]));
  const totals: Totals = { calls: 0, results, billSec: 0, pddMs: 0, pddCount: 0 };
  let cursor: string | undefined;
  do {
    const page = await records.query({ ...query, limit: MAX_ROWS, ...(cursor !== undefined && { cursor }) });
    for (const record of page.records) count(totals, record);
    cursor = page.next;
  } while (cursor !== undefined && totals.calls < MAX_COUNTED && !signal.aborted);
  const note =
    cursor === undefined
      ? undefined
      : text(
          `Only the newest ${totals.calls} were counted; narrow DATE down`,
          `只统计了最新的 ${totals.calls} 条；请缩小 DATE 范围`,
        );
  return { row: toRow(totals), note };
}

function count(totals: Totals, record: CallRecord): void {
  totals.calls++;
  totals.results[record.result] = (totals.results[record.result] ?? 0) + 1;
  totals.billSec += record.billSec;
  if (record.pddMs === undefined) return;
  totals.pddMs += record.pddMs;
  totals.pddCount++;
}

function toRow(totals: Totals): Row {
  const answered = totals.results['ANSWERED'] ?? 0;
  return {
    calls: totals.calls,
    ...totals.results,
    answerSeizureRatio: totals.calls > 0 ? answered / totals.calls : undefined,
    averageBillSec: answered > 0 ? Math.round((totals.billSec / answered) * 10) / 10 : undefined,
    totalBillSec: totals.billSec,
    averagePddMs: totals.pddCount > 0 ? totals.pddMs / totals.pddCount : undefined,
  };
}
