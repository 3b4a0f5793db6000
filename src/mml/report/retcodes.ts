import { type Bilingual, text } from '../text.js';

/**
 * Every RETCODE the console can print, each with a sentence that says what to do. Numbers are stable: scripts test
 * them. 1xxx syntax, 2xxx parameter, 3xxx permission, 4xxx state, 5xxx dependency.
 */
export const RETCODES = {
  0: text('Operation succeeded', '操作成功'),
  1001: text(
    'Syntax error at position {position}: unexpected {found}. Put values with special characters in double quotes',
    '第 {position} 个字符处语法错误：不应出现 {found}。含特殊字符的值请用双引号括起来',
  ),
  1002: text('Unknown command {command}. {hint}', '未知命令 {command}。{hint}'),
  1003: text(
    'Incomplete command {command}: type {command} ? to see how it goes on',
    '命令 {command} 不完整：输入 {command} ? 查看后续内容',
  ),
  1004: text(
    'Syntax error at position {position}: the string that begins here has no closing quote. Add "',
    '第 {position} 个字符处语法错误：此处开始的字符串没有结束引号，请补上 "',
  ),
  1005: text(
    'Syntax error at position {position}: parameter {name} has no value. Write {name}=value without spaces around =, or {name}="" for an empty one',
    '第 {position} 个字符处语法错误：参数 {name} 没有值。请写成 {name}=值（= 两边不留空格），空值写 {name}=""',
  ),
  1006: text(
    'Syntax error at position {position}: a parameter is expected here. Remove the extra comma or add NAME=value',
    '第 {position} 个字符处语法错误：此处应为参数。请去掉多余的逗号，或补上 NAME=value',
  ),
  1007: text('Parameter {name} is given twice. Give it once', '参数 {name} 重复。请只写一次'),
  1008: text(
    'The command is too long: at most {limit} bytes are taken. Nothing was run; divide it into several',
    '命令过长：最多 {limit} 字节。未执行任何操作，请拆成几条',
  ),
  1009: text(
    'Too many parameters: at most {limit} are taken. Divide the command into several',
    '参数过多：最多 {limit} 个。请拆成几条命令',
  ),
  1010: text(
    'Syntax error at position {position}: in a quoted string a backslash stands only before " or another backslash. Write \\\\ for a backslash',
    '第 {position} 个字符处语法错误：引号内反斜杠只能用于 \\" 或 \\\\。反斜杠本身请写 \\\\',
  ),
  1011: text(
    'Syntax error at position {position}: control character or broken UTF-8. Send text as UTF-8',
    '第 {position} 个字符处语法错误：控制字符或无效的 UTF-8。请用 UTF-8 发送文本',
  ),
  2001: text('Unknown parameter {name}. {hint}', '未知参数 {name}。{hint}'),
  2002: text(
    'Required parameter missing: {names}. Add it, for example {example}',
    '缺少必选参数：{names}。请补上，例如 {example}',
  ),
  2003: text('Value of {name} is not valid: {allowed} is expected', '参数 {name} 的值无效：应为{allowed}'),
  2004: text(
    'Value of {name} is out of range: {allowed} is expected',
    '参数 {name} 的值超出范围：应为{allowed}',
  ),
  2005: text('Unknown word {word}. {hint}', '未知关键字 {word}。{hint}'),
  2006: text(
    'Parameters {names} exclude each other. Give one of them',
    '参数 {names} 互斥。请只给出其中一个',
  ),
  2007: text('Nothing to change: give at least one of {names}', '没有要修改的内容：请至少给出 {names} 之一'),
  2008: text(
    'The password is not accepted: {reason}. Choose another',
    '密码不符合要求：{reason}。请另选一个',
  ),
  2009: text('The name is not accepted: {reason}. Choose another', '名称不符合要求：{reason}。请另选一个'),
  2010: text('A value is not accepted: {reason}. Correct it', '有参数的值不被接受：{reason}。请改正'),
  2011: text(
    'The script is not taken, {count} of its commands have errors. Line {line}: RETCODE {retcode}  {reason}',
    '脚本未被接受，其中 {count} 条命令有错。第 {line} 行：RETCODE {retcode}  {reason}',
  ),
  3002: text(
    'Not permitted: the command needs role {needed}, yours is {role}. Ask an administrator',
    '没有权限：该命令需要角色 {needed}，当前角色为 {role}。请联系管理员',
  ),
  3003: text(
    'Not confirmed: this command is dangerous. Add CONFIRM=YES to run it from a script',
    '未确认：这是危险命令。在脚本中执行请加上 CONFIRM=YES',
  ),
  3004: text('Cancelled by the operator; nothing was changed', '操作员已取消，未做任何修改'),
  3005: text(
    'Login failed: wrong name or password, or not from here. Try again; after many failures an operator is locked for a while',
    '登录失败：用户名或密码错误，或不允许从此地址登录。请重试；多次失败后操作员将被暂时锁定',
  ),
  3006: text(
    'Too many failed logins from this address. Try again in {seconds} s',
    '该地址登录失败次数过多。请在 {seconds} 秒后重试',
  ),
  3007: text('Not permitted: {reason}', '不允许：{reason}'),
  3008: text(
    'The password is too old. Change it first: SET PASSWORD: OLD="the present one", PASSWORD="the next one"',
    '密码已过期。请先修改：SET PASSWORD: OLD="当前密码", PASSWORD="新密码"',
  ),
  3009: text(
    'The operator {name} that the task runs as is no more. Take the task over by giving it its commands anew: MOD TASK',
    '任务所属的操作员 {name} 已不存在。请用 MOD TASK 重新给出命令以接管该任务',
  ),
  4001: text('No such {what}: {name}. {hint}', '不存在的{what}：{name}。{hint}'),
  4002: text(
    '{what} {name} exists already. Choose another name, or change it with MOD',
    '{what} {name} 已存在。请换一个名称，或用 MOD 修改',
  ),
  4003: text(
    'Too many reports go on: {limit} are open. End one with Ctrl-C, or its session with RMV SESSION',
    '持续输出的报告过多：已有 {limit} 个。请用 Ctrl-C 结束一个，或用 RMV SESSION 结束其会话',
  ),
  4004: text(
    'This report goes on until it is ended, and here nobody can end it. Leave out WATCH and FOLLOW',
    '该报告会持续输出，而此处无法结束它。请去掉 WATCH 和 FOLLOW',
  ),
  4005: text(
    'Too many sessions: {limit} are open. Log out elsewhere, or end one with RMV SESSION',
    '会话过多：已有 {limit} 个。请在别处退出，或用 RMV SESSION 结束一个',
  ),
  4006: text(
    'Interrupted by the operator. What the command had begun may still be carried out',
    '被操作员中断。命令已开始的动作仍可能完成',
  ),
  4007: text(
    'The operation log is not as it was written: {count} faults, the first in {file} line {line}: {why}. Keep the files and find out who changed them',
    '操作日志已被改动：{count} 处，首处在 {file} 第 {line} 行：{why}。请保留文件并查明原因',
  ),
  5001: text(
    'The store does not answer. Calls go on; try again when DSP SYSINFO shows the store alive',
    '存储没有响应。通话不受影响；待 DSP SYSINFO 显示存储正常后重试',
  ),
  5002: text('{part} refused: {reason}', '{part} 拒绝了请求：{reason}'),
  5003: text(
    'No answer within {seconds} s. What the command had begun may still be carried out; check before repeating it',
    '{seconds} 秒内没有响应。命令已开始的动作仍可能完成；重试前请先检查',
  ),
  5999: text(
    'Internal error. The server log has the details beside report number {serial}',
    '内部错误。详情见服务器日志，报告编号 {serial}',
  ),
} as const satisfies Record<number, Bilingual>;

export type Retcode = keyof typeof RETCODES;
