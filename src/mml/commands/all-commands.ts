import type { Command } from '../registry/command.js';
import { alarmCommands } from './alarm-commands.js';
import { announcementCommands } from './announcement-commands.js';
import { attackCommand } from './attack-command.js';
import { callCommands } from './call-commands.js';
import { commandGroupCommands } from './command-group-commands.js';
import { conferenceCommands } from './conference-commands.js';
import { conferenceRoomCommands } from './conference-room-commands.js';
import { dialCommands } from './dial-commands.js';
import { dialServiceCommands } from './dial-service-commands.js';
import { eventCommands } from './event-commands.js';
import { groupCommands } from './group-commands.js';
import { logCommands } from './log-commands.js';
import { messageCommands } from './message-commands.js';
import { numberCommands } from './number-commands.js';
import { operationCommands } from './operation-commands.js';
import { operatorCommands } from './operator-commands.js';
import { operatorKeyCommands } from './operator-key-commands.js';
import { outsideRouteCommands } from './outside-route-commands.js';
import { recordCommands } from './record-commands.js';
import { recordFileCommands } from './record-file-commands.js';
import { registrationCommands } from './registration-commands.js';
import { relayCommands } from './relay-commands.js';
import { routeCommands } from './route-commands.js';
import { serviceCommands } from './service-commands.js';
import { sessionCommands } from './session-commands.js';
import { settingCommands } from './setting-commands.js';
import { sourceFileCommands } from './source-file-commands.js';
import { sourceListCommands } from './source-list-commands.js';
import { systemCommands } from './system-commands.js';
import { taskCommands } from './task-commands.js';
import { traceCommands } from './trace-commands.js';
import { translationCommands } from './translation-commands.js';
import { trunkCommands } from './trunk-commands.js';
import { userCommands } from './user-commands.js';
import { userFileCommands } from './user-file-commands.js';

/** Every command of the console. */
export const allCommands: readonly Command[] = [
  ...userCommands,
  ...userFileCommands,
  ...groupCommands,
  ...numberCommands,
  ...trunkCommands,
  ...relayCommands,
  ...translationCommands,
  ...outsideRouteCommands,
  ...routeCommands,
  ...registrationCommands,
  ...callCommands,
  ...messageCommands,
  ...eventCommands,
  ...announcementCommands,
  ...dialCommands,
  ...dialServiceCommands,
  ...conferenceCommands,
  ...conferenceRoomCommands,
  ...recordCommands,
  ...recordFileCommands,
  ...alarmCommands,
  ...traceCommands,
  ...sourceListCommands,
  ...sourceFileCommands,
  attackCommand,
  ...systemCommands,
  ...serviceCommands,
  ...settingCommands,
  ...logCommands,
  ...operatorCommands,
  ...operatorKeyCommands,
  ...commandGroupCommands,
  ...operationCommands,
  ...taskCommands,
  ...sessionCommands,
];
