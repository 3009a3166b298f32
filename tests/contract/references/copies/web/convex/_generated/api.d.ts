export declare const api: any
