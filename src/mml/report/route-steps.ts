import { type RouteStep, type StepCode, type StepPlace, sayStep } from '../../routing/steps.js';
import { type Bilingual, fillText, text } from '../text.js';
import { ANSWER_WORDS, FAILURE_WORDS, type Words } from './words.js';

/** The sentences of routing in Chinese, with the places that the English ones have. */
export const STEPS_ZH: Readonly<Record<StepCode, string>> = {
  callerUnknown: '没有用户 {user}：主叫无法通过鉴权',
  callerNeedsPassword: '位于 {address} 的主叫须出示密码',
  callerIsTrunk: '{address} 是中继 {trunk}',
  callerIsTrunkWithPassword: '{address} 是中继 {trunk}，须出示其密码',
  callerStatus: '主叫 {user} 的状态为 {status}',
  callerMayCall: '主叫 {user} 可以呼叫',

  schemeNotServed: '不支持 URI 方案 {scheme}',
  noNumber: 'Request-URI 中没有可用的号码',
  hostNotServed: '本服务器不服务主机 {host}',
  featureCode: '{number} 是业务代码 {action}',
  featureCodeWith: '{number} 是业务代码 {action}，参数为 {argument}',
  numberUnknown: '没有号码为 {number} 的用户、寻线组或短号',
  numberIsUser: '号码 {number} 是用户 {user}',
  numberLeadsNow: '号码 {number} 此时转到 {to}（{zone}）',
  numberLeadsNowhere: '号码 {number}：当前没有生效的时间规则',
  numberLeads: '号码 {number} 转到 {to}',
  numberLoop: '超过 {most} 个短号相互转接：循环',

  userStatus: '用户 {user} 的状态为 {status}',
  userNotDisturbed: '{user} 已设免打扰',
  userHasNoPhone: '用户 {user} 没有已注册的话机',
  userBusy: '{user} 正在进行 {calls} 个呼叫，最多 {most} 个：忙',
  phonesTogether: '{registered} 部已注册话机中的 {phones} 部同时振铃 {seconds} 秒',
  phonesByQ: '{registered} 部已注册话机中的 {phones} 部分 {rounds} 轮振铃，q 值高者先振',
  phonesByAge: '{registered} 部已注册话机中的 {phones} 部分 {rounds} 轮振铃，最近注册者先振',

  forwards: '{user} 前转到 {to}（{reason}）',
  forwardsToCaller: '{user} 前转到 {to}，而 {to} 正是主叫：不予前转',
  forwardsTooOften: '已前转 {most} 次：{user} 不得再转到 {to}',
  forwardsInLoop: '{user} 前转到 {to}：循环',
  forwardsWhen: '{failure}时转到 {to}',

  numberIsGroup: '{number} 是寻线组 {group}，{strategy}，{members} 个成员',
  memberStatus: '成员 {user} 的状态为 {status}：跳过',
  memberHasNoPhone: '成员 {user} 没有已注册的话机：跳过',
  memberNotDisturbed: '成员 {user} 已设免打扰：跳过',
  memberCalls: '成员 {user} 正是主叫：跳过',
  memberBusy: '成员 {user} 忙：跳过',
  membersTogether: '同时振铃 {seconds} 秒：{users}',
  membersInTurn: '依次振铃，每次 {seconds} 秒：{users}',
  nobodyFree: '没有空闲成员',
  overflows: '无人接听时转到 {to}',

  roomByPrefix: '号码 {number} 是会议室（前缀 {prefix}）',
  roomByRange: '号码 {number} 是会议室（号段 {range}）',
  roomHas: '会议室内有 {members} 个成员，最多 {most} 个',
  roomNotForTrunk: '会议室 {room} 不接受来自中继 {trunk} 的呼叫',
  roomLocked: '会议室 {room} 已锁定',
  roomFull: '会议室 {room} 已有 {members} 个成员，最多 {most} 个',
  roomsFull: '已有 {rooms} 个会议室，最多 {most} 个',

  outsideByPrefix:
    "没有号码为 {number} 的用户、寻线组或短号；由路由 {route} 承接（前缀 '{prefix}'，{callClass}）",
  outsideByPattern:
    '没有号码为 {number} 的用户、寻线组或短号；由路由 {route} 承接（模式 {pattern}，{callClass}）',
  routeBars: '路由 {route} 禁止呼叫此类号码',
  transitRefused: '来自中继 {trunk} 的呼叫不得再呼出',
  transitAllowed: '来自中继 {trunk} 的呼叫可以再呼出',
  payerMayCall: '{user} 可以呼叫 {callClass} 类号码',
  nobodyPays: '去向由操作员设定：不受用户限制',
  classNotAllowed: '{user} 可以呼叫 {right}，不得呼叫 {callClass}',
  prefixNotAllowed: '{user} 只可以呼叫以 {prefixes} 开头的号码',
  outsideCallsFull: '{user}：已有 {count} 个中继呼叫，最多 {most} 个',
  outsideHourFull: '{user}：一小时内已发起 {count} 个中继呼叫，最多 {most} 个',
  outsideDayFull: '{user}：一天内已发起 {count} 个中继呼叫，最多 {most} 个',

  trunkMissing: '中继 {trunk} 不存在：跳过',
  trunkInactive: '中继 {trunk} 已停用：跳过',
  trunkHasNoAddress: '中继 {trunk} 没有地址：跳过',
  trunkDown: '中继 {trunk} 故障（{answer}）：跳过',
  trunkNotRegistered: '中继 {trunk} 未注册（{answer}）：跳过',
  trunkIsOrigin: '中继 {trunk} 是呼叫的来源：跳过',
  trunkFull: '中继 {trunk} 已有 {calls} 个呼叫，最多 {most} 个：跳过',
  trunkRateFull: '中继 {trunk} 在这一秒内已发起 {calls} 个呼叫，最多 {most} 个：跳过',
  tryTrunk: '第 {turn} 次尝试：中继 {trunk}，优先级 {priority}',
  noTrunkLeft: '路由 {route} 没有中继可以承接呼叫',
  calledBecomes: '{trunk}：被叫 {number} 变换为 {to}（规则 {rule}）',
  callerBecomes: '{trunk}：主叫 {number} 变换为 {to}（规则 {rule}）',
};

/** Places whose values are words of the server and not names, numbers or what an operator types. */
const WORDS_OF: Readonly<Partial<Record<StepPlace, Words>>> = {
  failure: FAILURE_WORDS,
  answer: ANSWER_WORDS,
};

/** What routing says, in both languages. */
export function stepText(step: RouteStep): Bilingual {
  const args = Object.entries(step.args).map(([place, value]) => [
    place,
    WORDS_OF[place as StepPlace]?.[value]?.zh ?? value,
  ]);
  return text(sayStep(step), fillText(STEPS_ZH[step.code], Object.fromEntries(args)));
}
