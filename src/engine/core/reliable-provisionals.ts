/** placeholder */
export class ReliableProvisionals {}
