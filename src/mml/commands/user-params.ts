import { SERVICE_TYPES, USER_STATUSES, type UserInput, type UserView } from '../../accounts/types.js';
import type { ParamSpec } from '../registry/command.js';
import { oneOf, string, username } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { type FEATURE_PARAMS, toFeatures } from './feature-params.js';

/** Live user names for completion. */
export const suggestUsers = async (services: Services, prefix: string): Promise<string[]> =>
  (await services.users.list({ prefix, limit: 20 })).map((user) => user.username);

/** `USERNAME=` of a user that exists. */
export const USERNAME = {
  type: username,
  purpose: text('User name', '用户名'),
  example: '1001',
  suggest: suggestUsers,
} as const satisfies ParamSpec;

/** What ADD and MOD say of a user, but for its features. */
export const USER_FIELDS = {
  PASSWORD: {
    type: string({ max: 128 }),
    purpose: text('Password', '密码'),
    secret: true,
    example: '"s3cret words"',
  },
  NAME: { type: string({ min: 0 }), purpose: text('Display name', '显示名'), example: '"Li Si"' },
  PHONE: {
    type: string({ min: 0, max: 32 }),
    purpose: text('Phone number', '电话号码'),
    example: '+861012345678',
  },
  EMAIL: {
    type: string({ min: 0 }),
    purpose: text('E-mail address', '电子邮箱'),
    example: 'lisi@example.com',
  },
  SERVICE: { type: oneOf(SERVICE_TYPES), purpose: text('Service class', '业务等级') },
  STATUS: { type: oneOf(USER_STATUSES), purpose: text('Status', '状态') },
} as const satisfies Readonly<Record<string, ParamSpec>>;

interface UserFields extends Readonly<Partial<Record<keyof typeof FEATURE_PARAMS, unknown>>> {
  readonly PASSWORD?: string | undefined;
  readonly NAME?: string | undefined;
  readonly PHONE?: string | undefined;
  readonly EMAIL?: string | undefined;
  readonly SERVICE?: UserView['serviceType'] | undefined;
  readonly STATUS?: UserView['status'] | undefined;
}

/** Only what was given; an empty text clears a field. */
export function toInput(fields: UserFields): UserInput {
  const { PASSWORD: password, NAME: displayName, PHONE: phone, EMAIL: email } = fields;
  const { SERVICE: serviceType, STATUS: status } = fields;
  const features = toFeatures({ ...fields });
  return {
    ...(password !== undefined && { password }),
    ...(displayName !== undefined && { displayName }),
    ...(phone !== undefined && { phone }),
    ...(email !== undefined && { email }),
    ...(serviceType !== undefined && { serviceType }),
    ...(status !== undefined && { status }),
    ...(features !== undefined && { features }),
  };
}
