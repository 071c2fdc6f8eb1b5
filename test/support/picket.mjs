// The `picket` command from its sources, for tests that need a process of its own.

import { main } from '../../cli/main.ts';

await main();
