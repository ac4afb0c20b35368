// Sends with npm's web-push: `WORK` (bench.ring.crew, bench.ring.push).
const { readFileSync } = require('node:fs');
const https = require('node:https');
const webPush = require('web-push');

const told = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const base64url = (hex) => Buffer.from(hex, 'hex').toString('base64url');
const subscriptions = told.subscriptions.map(({ endpoint, p256dh, auth }) => ({
  endpoint,
  keys: { p256dh: base64url(p256dh), auth: base64url(auth) },
}));
const keys = webPush.generateVAPIDKeys();
const options = {
  vapidDetails: { subject: 'mailto:bench@example.org', ...keys },
  TTL: 60,
  urgency: 'high',
  agent: new https.Agent({ keepAlive: true, maxSockets: told.lines }),
};

let next = 0;
let done = 0;

async function oneAfterAnother() {
  while (next < told.number) {
    const number = next++;
    const subscription = subscriptions[number % subscriptions.length];
    const answer = await webPush.sendNotification(subscription, told.payload, {
      ...options,
      topic: String(number),
    });
    if (answer.statusCode !== 201) throw new Error(`not sent: ${answer.statusCode}`);
    done++;
  }
}

process.stdin.once('data', async () => {
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: told.lines }, oneAfterAnother));
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ done, cpu: (user + system) / 1e6 }));
  process.exit();
});
console.log('ready');
