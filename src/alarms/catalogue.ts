/** Severities after ITU-T X.733, worst first. */
export const SEVERITIES = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A text in both languages of the console. */
interface Words {
  readonly en: string;
  readonly zh: string;
}

/** What an alarm means. */
export interface AlarmKind {
  readonly severity: Severity;
  /** `operator`: nothing can show that it is over, so it stays until CLR ALARM. */
  readonly ends: 'itself' | 'operator';
  readonly title: Words;
  readonly cause: Words;
  readonly remedy: Words;
}

const words = (en: string, zh: string): Words => ({ en, zh });

/** Keeps the names as a type. */
const kinds = <const N extends string>(table: Record<N, AlarmKind>): Readonly<Record<N, AlarmKind>> => table;

/** Every alarm of the server. docs/alarms.md has the same table; a test compares them. */
export const ALARMS = kinds({
  ENGINE_DOWN: {
    severity: 'CRITICAL',
    ends: 'itself',
    title: words('SIP engine away', 'SIP 引擎断开'),
    cause: words(
      'No connection to the SIP engine: no call, registration or message is taken',
      '与 SIP 引擎的连接中断：无法处理呼叫、注册和消息',
    ),
    remedy: words(
      'Start the drachtio-server that SIP_ENGINE names, or mend the network to it; the connection comes back by itself',
      '启动 SIP_ENGINE 指定的 drachtio-server 或修复网络；连接会自动恢复',
    ),
  },
  STORE_DOWN: {
    severity: 'CRITICAL',
    ends: 'itself',
    title: words('Store away', '存储不可用'),
    cause: words(
      'The Store does not answer: calls go on with what is known, nothing can be changed, records wait in the journal',
      '存储无响应：通话以已知数据继续，无法修改配置，话单保存在日志文件中',
    ),
    remedy: words(
      'Start Redis, or mend the network or the disk; records are delivered by themselves',
      '启动 Redis，或修复网络、磁盘；话单会自动补录',
    ),
  },
  NO_RELAY: {
    severity: 'CRITICAL',
    ends: 'itself',
    title: words('No media relay', '无可用媒体中继'),
    cause: words('No media relay answers: calls hear 503', '所有媒体中继均无响应：呼叫收到 503'),
    remedy: words('Start one of the relays of MEDIA_RELAY', '启动 MEDIA_RELAY 中的任一中继'),
  },
  JOURNAL_FAILING: {
    severity: 'CRITICAL',
    ends: 'itself',
    title: words('Journal not written', '话单日志写入失败'),
    cause: words(
      'The disk takes no records: those of calls are in memory only and lost if the server ends',
      '磁盘无法写入话单日志：话单仅在内存中，服务器停止时将丢失',
    ),
    remedy: words('Free space on the disk of DATA_DIR, or mend it', '清理或修复 DATA_DIR 所在磁盘'),
  },
  CERT_EXPIRED: {
    severity: 'CRITICAL',
    ends: 'itself',
    title: words('Certificate expired', '证书已过期'),
    cause: words(
      'The certificate of the TLS listeners has ended, or cannot be read: phones refuse the connection',
      'TLS 监听证书已过期或无法读取：终端会拒绝连接',
    ),
    remedy: words(
      'Put a new certificate in its place; the file is read anew by itself',
      '更换新的证书文件；服务器会自动重新读取',
    ),
  },
  RELAY_DOWN: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Media relay down', '媒体中继故障'),
    cause: words(
      'A media relay does not answer: new calls go to the others, those on it have no sound',
      '某个媒体中继无响应：新呼叫转到其他中继，其上的通话无声音',
    ),
    remedy: words(
      'Start the relay, or take it out of MEDIA_RELAY',
      '启动该中继，或将其从 MEDIA_RELAY 中移除',
    ),
  },
  OVERLOAD: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Overload', '过载'),
    cause: words(
      'The SIP engine does not keep up: new requests hear 503, calls that are up go on',
      'SIP 引擎处理不及：新请求收到 503，已建立的通话不受影响',
    ),
    remedy: words(
      'Look for a flood with DSP PERF; else spread the load or take a faster machine',
      '用 DSP PERF 检查是否有洪泛；否则分担负载或更换更快的机器',
    ),
  },
  CALLS_FULL: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('All calls in use', '呼叫数已满'),
    cause: words('MAX_CALLS calls are up: more hear 503', '并发呼叫达到 MAX_CALLS：新呼叫收到 503'),
    remedy: words('Raise MAX_CALLS if the machine can take it', '如机器能力允许，调大 MAX_CALLS'),
  },
  TRUNK_DOWN: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Trunk down', '中继线故障'),
    cause: words(
      'A trunk does not answer OPTIONS, or says that it takes no calls: routes go past it',
      '中继线对 OPTIONS 无应答或拒绝服务：路由绕过该中继线',
    ),
    remedy: words(
      'Ask its operator; DSP TRUNK shows the last answer',
      '联系对端运维；DSP TRUNK 可查看最近的应答',
    ),
  },
  TRUNK_UNREGISTERED: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Trunk not registered', '中继线未注册'),
    cause: words(
      'The registration with a trunk failed: it sends no calls and takes none',
      '向中继线注册失败：无法呼入和呼出',
    ),
    remedy: words(
      'Check user name and password with MOD TRUNK; DSP TRUNK shows the last answer',
      '用 MOD TRUNK 检查用户名和密码；DSP TRUNK 可查看最近的应答',
    ),
  },
  RECORDS_LOST: {
    severity: 'MAJOR',
    ends: 'operator',
    title: words('Records lost', '话单丢失'),
    cause: words(
      'Call records were lost or refused: neither journal nor Store has them',
      '有话单丢失或被拒绝：日志文件与存储中均无记录',
    ),
    remedy: words(
      'Look in the log for cdr errors, then CLR ALARM',
      '查看 cdr 模块日志，处理后执行 CLR ALARM',
    ),
  },
  DISK_LOW: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Disk nearly full', '磁盘空间不足'),
    cause: words(
      'Less than ALARM_DISK_MB is free on the disk of DATA_DIR',
      'DATA_DIR 所在磁盘剩余空间低于 ALARM_DISK_MB',
    ),
    remedy: words('Remove old records with CLR CDR, or other files', '用 CLR CDR 清理旧话单，或删除其他文件'),
  },
  CERT_EXPIRING: {
    severity: 'MAJOR',
    ends: 'itself',
    title: words('Certificate ends soon', '证书即将过期'),
    cause: words(
      'The certificate of the TLS listeners ends within ALARM_CERT_DAYS',
      'TLS 监听证书将在 ALARM_CERT_DAYS 天内过期',
    ),
    remedy: words(
      'Put a new certificate in its place; the file is read anew by itself',
      '更换新的证书文件；服务器会自动重新读取',
    ),
  },
  RECORDS_WAITING: {
    severity: 'MINOR',
    ends: 'itself',
    title: words('Records wait', '话单积压'),
    cause: words(
      'ALARM_RECORDS records or more wait in the journal for the Store',
      '日志文件中等待入库的话单达到 ALARM_RECORDS 条',
    ),
    remedy: words('See to the Store; the records are delivered by themselves', '检查存储；话单会自动补录'),
  },
  SERVER_CRASHED: {
    severity: 'MINOR',
    ends: 'operator',
    title: words('Server ended by a crash', '服务器异常终止'),
    cause: words(
      'The last run ended without being stopped: a crash, kill -9, or a loss of power',
      '上次运行未正常停止：崩溃、kill -9 或断电',
    ),
    remedy: words(
      'Look in the log of that time; calls are dealt with as docs/restart.md says. Then CLR ALARM',
      '查看当时的日志；通话的处理见 docs/restart.md。处理后执行 CLR ALARM',
    ),
  },
  TASK_FAILED: {
    severity: 'WARNING',
    ends: 'operator',
    title: words('Task failed', '任务失败'),
    cause: words(
      'A command of a task failed, or the task could not be run at its time',
      '任务中有命令失败，或任务未能按时执行',
    ),
    remedy: words(
      'Look at DSP TASK and the result file; it is over when the task succeeds, or CLR ALARM',
      '查看 DSP TASK 与结果文件；任务成功后自动清除，或执行 CLR ALARM',
    ),
  },
  SOURCE_BANNED: {
    severity: 'WARNING',
    ends: 'itself',
    title: words('Source banned', '来源已封禁'),
    cause: words(
      'An address was put on the blacklist by the server: it guessed passwords or scanned',
      '服务器已将某地址列入黑名单：猜测密码或扫描',
    ),
    remedy: words(
      'Nothing, if it is a stranger; else RMV BLACKLIST and ADD WHITELIST',
      '若为陌生来源无需处理；否则 RMV BLACKLIST 并 ADD WHITELIST',
    ),
  },
  CLOCK_JUMP: {
    severity: 'WARNING',
    ends: 'operator',
    title: words('Clock jumped', '系统时钟跳变'),
    cause: words(
      'The clock of the machine was set: times in records before and after do not fit together',
      '系统时钟被调整：前后话单的时间不连续',
    ),
    remedy: words(
      'Keep the clock by NTP, which moves it slowly; then CLR ALARM',
      '用 NTP 平滑校时；处理后执行 CLR ALARM',
    ),
  },
});

export type AlarmName = keyof typeof ALARMS;
export const ALARM_NAMES = Object.keys(ALARMS) as readonly AlarmName[];

/** 0 is the worst. */
export const rankOf = (severity: Severity): number => SEVERITIES.indexOf(severity);
