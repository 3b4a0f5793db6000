import type { RouteReport } from '../../call/types.js';
import type { RouteStep } from '../../routing/steps.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { ip, string } from '../registry/param-types.js';
import { stepText } from '../report/route-steps.js';
import { FAILURE_WORDS, ROUND_WORDS, ROUTE_OUTCOME_WORDS } from '../report/words.js';
import { type Bilingual, text } from '../text.js';
import { USERNAME } from './user-params.js';

const outcomeReport: ReportSpec = {
  name: 'route',
  title: text('Route', '路由'),
  columns: [
    { key: 'outcome', title: text('Outcome', '结果'), words: ROUTE_OUTCOME_WORDS },
    { key: 'callee', title: text('Callee', '被叫') },
    { key: 'status', title: text('SIP status', 'SIP 状态') },
  ],
};

const roundReport: ReportSpec = {
  name: 'rounds',
  title: text('What would be rung', '将振铃的话机'),
  layout: 'table',
  columns: [
    { key: 'round', title: text('Round', '轮次') },
    { key: 'kind', title: text('Kind', '类型'), words: ROUND_WORDS },
    { key: 'ringSec', title: text('For', '时长'), format: 'seconds' },
    { key: 'username', title: text('User', '用户') },
    { key: 'contact', title: text('Contact', '注册地址') },
    { key: 'address', title: text('Sent to', '发送到') },
  ],
};

const failureReport: ReportSpec = {
  name: 'onFailure',
  title: text('Then', '随后'),
  layout: 'table',
  columns: [
    { key: 'failure', title: text('When', '条件'), words: FAILURE_WORDS },
    { key: 'to', title: text('On to', '转到') },
    { key: 'by', title: text('By', '由') },
    { key: 'reason', title: text('Reason', '原因') },
  ],
};

type RoundOfReport = RouteReport['rounds'][number];

/** A room has no address: words stand in their places. */
function roundRow(round: RoundOfReport): Row {
  if (round.kind !== 'room') return { ...round };
  const { contact, address, username } = round;
  return { ...round, contact: text(contact, `会议室 ${username}`), address: text(address, '会议') };
}

function numbered(step: RouteStep, index: number): Bilingual {
  const turn = String(index + 1).padStart(2);
  const { en, zh } = stepText(step);
  return text(`${turn}. ${en}`, `${turn}. ${zh}`);
}

const testRoute = defineCommand({
  verb: 'TST',
  object: 'ROUTE',
  purpose: text('Explain where a call would go, without calling', '测试路由：说明呼叫的去向，不实际呼叫'),
  role: 'GUEST',
  params: {
    FROM: { ...USERNAME, purpose: text('Who calls', '主叫用户'), required: true },
    TO: {
      type: string({ max: 128 }),
      purpose: text('What is dialled', '所拨号码'),
      required: true,
      example: '1002',
    },
    IP: { type: ip, purpose: text('Address that the caller is at', '主叫地址'), example: '192.0.2.7' },
  },
  reports: [outcomeReport, roundReport, failureReport],
  examples: ['TST ROUTE: FROM=1001, TO=1002', 'TST ROUTE: FROM=1001, TO="*21*1003#", IP=192.0.2.7'],
  async handler({ services }, { FROM: from, TO: to, IP: address }) {
    const { outcome, callee, status, steps, rounds, onFailure, headers } = await services.routes.explain(
      from,
      to,
      address,
    );
    return {
      sections: [
        { report: outcomeReport, rows: [{ outcome, callee, status }] },
        { name: 'steps', title: text('Steps', '步骤'), lines: steps.map(numbered) },
        ...(rounds.length > 0 ? [{ report: roundReport, rows: rounds.map(roundRow) }] : []),
        ...(onFailure.length > 0
          ? [{ report: failureReport, rows: onFailure.map((row) => ({ ...row })) }]
          : []),
        ...(headers.length > 0 ? [{ name: 'headers', title: text('Headers', '头域'), lines: headers }] : []),
      ],
    };
  },
});

/** Routing: TST ROUTE. */
export const routeCommands: readonly Command[] = [testRoute];
