/** Passkeys, as the browser makes them and answers with them. Texts come and go as base64url. */
import { api, ApiError } from './api';
import { deviceName } from './account';

interface Descriptor {
  readonly id: string;
  readonly type: 'public-key';
}
export interface Asking {
  readonly challenge: string;
  readonly rpId: string;
  readonly timeout: number;
  readonly userVerification: UserVerificationRequirement;
  readonly allowCredentials?: readonly Descriptor[];
}
interface Making {
  readonly challenge: string;
  readonly rp: { readonly id: string; readonly name: string };
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly pubKeyCredParams: PublicKeyCredentialParameters[];
  readonly timeout: number;
  readonly excludeCredentials?: readonly Descriptor[];
  readonly authenticatorSelection: AuthenticatorSelectionCriteria;
}
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly synced: boolean;
  readonly created_at: string;
  readonly used_at: string | null;
}

/** Whether this browser can have passkeys of `host`, the one that the server asks for. */
export function canHavePasskeys(host: string | undefined): boolean {
  return host === location.hostname && 'PublicKeyCredential' in window;
}

/** Answer what a server asks; fails with `passkey_cancelled` when the person turned back. */
export async function answered(asking: Asking): Promise<object> {
  const found = await turnedBack(
    navigator.credentials.get({
      publicKey: {
        challenge: bytes(asking.challenge),
        rpId: asking.rpId,
        timeout: asking.timeout,
        userVerification: asking.userVerification,
        allowCredentials: descriptors(asking.allowCredentials),
      },
    }),
  );
  const response = found.response as AuthenticatorAssertionResponse;
  return told(found, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? null : text(response.userHandle),
  });
}

/** Make a passkey on this device and let the server keep it. */
export async function makePasskey(): Promise<Passkey> {
  const making = await api.post<Making>('account/passkeys/options');
  const made = await turnedBack(
    navigator.credentials.create({
      publicKey: {
        challenge: bytes(making.challenge),
        rp: making.rp,
        user: { ...making.user, id: bytes(making.user.id) },
        pubKeyCredParams: making.pubKeyCredParams,
        timeout: making.timeout,
        excludeCredentials: descriptors(making.excludeCredentials),
        authenticatorSelection: making.authenticatorSelection,
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  const credential = told(made, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports(),
  });
  const name = (await deviceName()).slice(0, 200);
  return api.post<Passkey>('account/passkeys', { name, credential });
}

function told(credential: PublicKeyCredential, response: object): object {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

async function turnedBack(asked: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await asked;
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === 'InvalidStateError') throw new ApiError(409, 'passkey_there');
  }
  throw new ApiError(400, 'passkey_cancelled');
}

function descriptors(known: readonly Descriptor[] = []): PublicKeyCredentialDescriptor[] {
  return known.map(({ id, type }) => ({ id: bytes(id), type }));
}

function bytes(coded: string): Uint8Array<ArrayBuffer> {
  const binary = atob(coded.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function text(raw: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(raw));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
