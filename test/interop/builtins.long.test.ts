/** Celery's own tasks, called in Python and run here: by their names, as Celery's canvas makes their messages. */
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reasonWithoutCelery, Rig, versions } from './rig.ts';

const reason = reasonWithoutCelery("Celery's own tasks, run here");

const get = (code: string): string => `${code}.get(timeout=100, interval=0.1)`;
/** The result of what one of ours, run for Celery, has sent: it gives the id. */
const resultOfIts = (code: string): string => get(`AsyncResult(${get(code)}[0], app=app)`);

describe.skipIf(reason !== undefined)(
  `tasks of ${reason === undefined ? versions() : 'Celery'} that are run here`,
  () => {
    const app = new Celeriac('interop', { queues: { default: {} }, logger: silentLogger });
    const noted: unknown[][] = [];
    app.task('math.add', (x: number, y: number) => x + y);
    app.task('math.double', (x: number) => 2 * x);
    app.task('math.xsum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0));
    app.task('math.note', (...args: unknown[]) => void noted.push(args));
    const notedSorted = (): string => noted.flat().map(String).toSorted().join();
    let rig: Rig;
    beforeAll(async () => {
      rig = await Rig.start(app, { invocation: 30 });
      await rig.ask('let canvas = __import__("celery.canvas").canvas');
    });
    afterAll(() => rig.stop());
    const send = (name: string, args: string, kwargs = '{}'): string =>
      `app.send_task('${name}', args=${args}, kwargs=${kwargs}, queue='default')`;

    it('celery.ping', async () => {
      expect(await rig.ask(get(send('celery.ping', '()')))).toBe('pong');
    });

    it('celery.backend_cleanup: what has expired goes by itself', async () => {
      expect(await rig.ask(get("app.tasks['celery.backend_cleanup'].apply_async(queue='default')"))).toBe(null);
    });

    it('celery.map, celery.starmap', async () => {
      const map = "canvas.xmap(remote('math.double'), [1, 2, 3], app=app).apply_async(queue='default')";
      expect(await rig.ask(get(map))).toEqual([2, 4, 6]);
      const starmap = "canvas.xstarmap(remote('math.add'), [[1, 2], [3, 4]], app=app).apply_async(queue='default')";
      expect(await rig.ask(get(starmap))).toEqual([3, 7]);
    });

    it('celery.chunks, as a group of starmaps and by its name', async () => {
      const chunks = "canvas.chunks(remote('math.add'), [[1, 2], [3, 4], [5, 6]], 2, app=app)";
      expect(await rig.ask(get(`${chunks}.apply_async(queue='default')`))).toEqual([[3, 7], [11]]);
      noted.length = 0;
      const kwargs = "{'task': remote('math.note'), 'it': [[1], [2], [3]], 'n': 2}";
      await rig.ask(get(send('celery.chunks', '()', kwargs)));
      await expect.poll(() => notedSorted()).toBe('1,2,3');
    });

    it('celery.accumulate', async () => {
      expect(await rig.ask(get(send('celery.accumulate', '(1, 2, 3)')))).toEqual([1, 2, 3]);
      expect(await rig.ask(get(send('celery.accumulate', '([1, 2], 3)', "{'index': 0}")))).toEqual([1, 2]);
    });

    it('celery.chord_unlock', async () => {
      await rig.ask("let one = remote('math.add').apply_async((1, 2), queue='default')");
      await rig.ask("let two = remote('math.add').apply_async((3, 4), queue='default')");
      await rig.ask("let body = remote('math.xsum').clone(task_id='unlocked')");
      await rig.ask("let _ = body.options.update(queue='default')");
      const kwargs = "{'result': [one.as_tuple(), two.as_tuple()], 'interval': 1}";
      await rig.ask(`let sent = ${send('celery.chord_unlock', "('group-1', body)", kwargs)}`);
      expect(await rig.ask(get("AsyncResult('unlocked', app=app)"))).toBe(10);
    });

    it('celery.chain, celery.group and celery.chord', async () => {
      const [one, two] = ["remote('math.add').clone((1, 2))", "remote('math.double')"];
      expect(await rig.ask(resultOfIts(send('celery.chain', '()', `{'tasks': [${one}, ${two}]}`)))).toBe(6);
      noted.length = 0;
      await rig.ask(get(send('celery.group', '()', "{'tasks': [remote('math.note').clone((n,)) for n in (1, 2)]}")));
      await expect.poll(() => notedSorted()).toBe('1,2');
      const chord = `{'header': [${one}, ${one}], 'body': remote('math.xsum')}`;
      expect(await rig.ask(resultOfIts(send('celery.chord', '()', chord)))).toBe(6);
    });
  },
);
