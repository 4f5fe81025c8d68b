import { ConfigError, DataError, FileError, random } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CleanOptions, createCleaner } from "./cleaner.ts";
import { BandFilters, HashSet } from "./duplicates.ts";
import { languageDetector } from "./language.ts";
import { minHasher, minHashSignature } from "./minHash.ts";
import { ngramFinder, ngramsOf, readNgrams, writeNgrams } from "./ngrams.ts";
import { maskPii } from "./pii.ts";
import { c4, fineWeb, gopherQuality, gopherRepetition } from "./quality.ts";
import { eachNgram, wordHashes } from "./words.ts";

const bytes = (text: string) => Buffer.from(text);
const draw = random(11, "clean");
const vocabulary = Array.from({ length: 800 }, (_, i) => `w${draw.integer(i, 1e6).toString(36)}`);
const words = (seed: number, count: number) => Array.from({ length: count }, (_, i) => vocabulary[draw.derive(seed).integer(i, vocabulary.length)]!);

describe("wordHashes", () => {
  const keys = (text: string) => {
    const { low, high, length } = wordHashes(bytes(text));
    return Array.from({ length }, (_, i) => `${low[i]} ${high[i]}`);
  };

  it("sees words, whatever case, punctuation and layout", () => {
    expect(keys("The cat's  ÉTÉ — n°7.")).toEqual(keys("the\ncat s été, (n) 7"));
    expect(keys("one two")).not.toEqual(keys("two one"));
  });

  it("takes every Han character and kana for a word, and Hangul by spaces", () => {
    expect(keys("语言模型 のト")).toHaveLength(6);
    expect(keys("한국어 모델")).toHaveLength(2);
    expect(keys("GPT模型2")).toEqual([...keys("gpt"), ...keys("模型"), ...keys("2")]);
  });

  it("gives equal n-grams equal hashes wherever they stand", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (list, n) => {
        const found: string[] = [];
        eachNgram(wordHashes(bytes(list.join(" "))), n, (low, high) => void found.push(`${low} ${high}`));
        const texts = list.slice(n - 1).map((_, i) => list.slice(i, i + n).join(" "));
        expect(found).toHaveLength(texts.length);
        expect(new Set(found).size).toBe(new Set(texts).size);
        for (const [i, text] of texts.entries()) expect(found[i]).toBe(found[texts.indexOf(text)]);
      }),
    );
  });
});

describe("n-gram file", () => {
  const question = words(1, 30).join(" ");
  const ngrams = ngramsOf([question, words(2, 30).join(" "), "too short"], { sources: ["quiz v1"] });

  it("comes back from its text, sorted and without copies", () => {
    expect(ngrams.hashes).toHaveLength(2 * 2 * (30 - 12));
    expect(ngramsOf([question, question]).hashes).toHaveLength(2 * 18);
    const short: (string | Uint8Array)[] = [];
    ngramsOf(["为什么苹果是红的？", "twelve-words of this text are enough for it to have one n-gram", question, "前面的话，后面的话，都是话。"], { onShort: (text) => short.push(text) });
    expect(short).toEqual(["为什么苹果是红的？", "前面的话，后面的话，都是话。"]);
    expect(readNgrams(writeNgrams(ngrams), "x")).toEqual(ngrams);
    const lines = writeNgrams(ngrams).split("\n").slice(1, -1);
    expect(lines).toEqual(lines.toSorted());
  });

  it("finds a text that holds 13 words in a row of a test, and no other", () => {
    const find = ngramFinder(ngrams);
    const list = question.split(" ");
    expect(find(bytes([...words(3, 100), ...list.slice(5, 18), ...words(4, 50)].join(", ").toUpperCase()))).toBe(100);
    expect(find(bytes([...words(3, 100), ...list.slice(5, 17), ...words(4, 50)].join(" ")))).toBe(-1);
    expect(ngramFinder(ngramsOf([]))(bytes(question))).toBe(-1);
  });

  it("refuses other and damaged files", () => {
    const text = writeNgrams(ngrams);
    expect(() => readNgrams("{}", "x.ngrams")).toThrow(new FileError("x.ngrams: format unknown, expected espalier-ngrams version 1. Write it again."));
    expect(() => readNgrams(text.slice(0, -20), "x")).toThrow(/It is cut short/);
    expect(() => readNgrams(text.replace(/\n.{16}\n/, "\nzzzzzzzzzzzzzzzz\n"), "x")).toThrow(/line 2 is "zzzzzzzzzzzzzzzz", expected 16 hexadecimal digits/);
    expect(() => ngramsOf([], { n: 0 })).toThrow(ConfigError);
  });
});

describe("MinHash", () => {
  /** Of the sets of word 5-grams, by definition. */
  const jaccard = (a: string[], b: string[]) => {
    const set = (list: string[]) => new Set(list.slice(4).map((_, i) => list.slice(i, i + 5).join(" ")));
    const [left, right] = [set(a), set(b)];
    return [...left].filter((shingle) => right.has(shingle)).length / new Set([...left, ...right]).size;
  };
  const changed = (list: string[], count: number, seed: number) => {
    const copy = [...list];
    for (let i = 0; i < count; i++) copy[random(seed).integer(i, copy.length)] = `new${seed}${i}`;
    return copy;
  };

  it.each([[0, 300], [3, 300], [10, 300], [30, 300], [2, 40]])("estimates the similarity after %i changes in %i words", (changes, count) => {
    const signature = minHashSignature(1024, 5);
    let error = 0;
    for (let seed = 0; seed < 20; seed++) {
      const a = words(100 + seed, count);
      const b = changed(a, changes, seed);
      const [left, right] = [signature(bytes(a.join(" ")))!, signature(bytes(b.join(" ")))!];
      error += left.filter((value, i) => value === right[i]).length / 1024 - jaccard(a, b);
    }
    expect(Math.abs(error / 20)).toBeLessThan(0.04);
  });

  it("meets near copies as often as its formula says", () => {
    const keys = minHasher();
    let met = 0;
    let expected = 0;
    for (let seed = 0; seed < 200; seed++) {
      const a = words(1000 + seed, 400);
      const b = changed(a, 5 + (seed % 40), seed);
      const [left, right] = [keys(bytes(a.join(" ")))!, keys(bytes(b.join(" ")))!];
      expected += 1 - (1 - jaccard(a, b) ** 8) ** 14;
      met += Number(Array.from({ length: 14 }, (_, band) => left[2 * band] === right[2 * band] && left[2 * band + 1] === right[2 * band + 1]).some(Boolean));
    }
    expect(expected).toBeGreaterThan(40);
    expect(Math.abs(met - expected)).toBeLessThan(25); // 3 to 4 standard deviations of 200 trials
  });

  it("has no keys for texts shorter than a shingle", () => {
    expect(minHasher()(bytes("one two three four"))).toBeUndefined();
    expect(() => minHasher({ rows: 0 })).toThrow(ConfigError);
  });
});

describe("HashSet", () => {
  it("agrees with a Set, also with equal first words, and refuses to outgrow its memory", () => {
    const table = new HashSet(1 << 24);
    const reference = new Set<string>();
    for (let i = 0; i < 30_000; i++) {
      const hash = Uint32Array.of(draw.integer(i, 300), draw.integer(i + 1e6, 40), 0, 7);
      const key = hash.join(" ");
      expect(table.add(hash)).toBe(!reference.has(key));
      reference.add(key);
    }
    expect(table.size).toBe(reference.size);
    const small = new HashSet(1 << 16);
    expect(() => {
      for (let i = 1; i < 10_000; i++) small.add(Uint32Array.of(i, i, i, i));
    }).toThrow(DataError);
  });
});

describe("BandFilters", () => {
  it("knows every key again, and takes new ones for old about as rarely as it says", () => {
    const filters = new BandFilters(2, 2 * 4096);
    const key = (i: number) => Uint32Array.from({ length: 4 }, (_, j) => draw.derive("bands", j).bits(i));
    let wrong = 0;
    for (let i = 0; i < 3000; i++) wrong += Number(filters.add(key(i)));
    for (let i = 0; i < 3000; i++) expect(filters.add(key(i))).toBe(true);
    const rate = filters.falsePositiveRate;
    let later = 0;
    for (let i = 3000; i < 3400; i++) later += Number(filters.add(key(i)));
    expect(rate).toBeGreaterThan(0.01);
    expect(later / 400).toBeGreaterThan(rate / 2);
    expect(later / 400).toBeLessThan(rate * 2.5);
    expect(wrong / 3000).toBeLessThan(rate);
    expect(() => new BandFilters(14, 1000)).toThrow(ConfigError);
  });
});

describe("quality rules", () => {
  const prose = "The model that we have with the data is small, and the loss of the model falls to a value that we measure. ".repeat(1);
  const paragraphs = (count: number) => Array.from({ length: count }, (_, i) => `Case ${words(i, 5).join(" ")} the ${words(50 + i, 6).join(" ")} of ${words(90 + i, 6).join(" ")} and.`).join("\n");

  it("let prose pass", () => {
    for (const rule of [gopherQuality, gopherRepetition, fineWeb]) expect(rule(paragraphs(12))).toBeUndefined();
    expect(c4(paragraphs(6))).toEqual({ text: paragraphs(6) });
  });

  it.each([
    [gopherQuality, prose, "23 words"],
    [gopherQuality, "a b c d ".repeat(30), "mean word length 1"],
    [gopherQuality, `${paragraphs(4)} ${"# ".repeat(40)}`, "symbols a word"],
    [gopherQuality, Array.from({ length: 40 }, (_, i) => `- the thing of number${i}`).join("\n"), "of the lines are bullets"],
    [gopherQuality, Array.from({ length: 20 }, (_, i) => `see the thing of ${i} and read more about it here...`).join("\n").replaceAll("...", "…"), "of the lines end in an ellipsis"],
    [gopherQuality, `${paragraphs(2)} ${"12345 67890 ".repeat(60)}`, "of the words hold a letter"],
    [gopherQuality, "alpha beta gamma delta ".repeat(20), "0 different stop words"],
    [gopherRepetition, `${paragraphs(2)}\n`.repeat(4), "of the lines are repeated"],
    [gopherRepetition, `${"x".repeat(400)}\n${paragraphs(5)}\n${"x".repeat(400)}`, "of the characters are in repeated lines"],
    [gopherRepetition, `${"buy now ".repeat(60)}${paragraphs(2)}`, "of the characters are in one 2-gram"],
    [gopherRepetition, Array.from({ length: 8 }, (_, i) => `line${i} ${words(5, 12).join(" ")}`).join("\n"), "of the characters are in"],
    [fineWeb, Array.from({ length: 40 }, (_, i) => `item ${i} of the list without any end at all`).join("\n"), "of the lines end in punctuation"],
    [fineWeb, Array.from({ length: 40 }, (_, i) => `Item ${i}.`).join("\n"), "of the lines are short"],
    [fineWeb, `${paragraphs(3)}\n${paragraphs(3)}`, "of the characters are in repeated lines"],
    [fineWeb, `${paragraphs(3)}\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n`, "line ends a word"],
  ] as const)("%o drop %#", (rule, text, reason) => {
    expect(rule(text)).toContain(reason);
  });

  it("keeps the sentences of a page with C4's rules and drops the rest", () => {
    const page = `Home | About\n${paragraphs(5)}\nPlease enable JavaScript to read the page.\nWe use cookies on this site.\nA fact that needs a source[12] is here.\ntoo short.\nmore to come in the next part...`;
    expect(c4(page)).toEqual({ text: `${paragraphs(5)}\nA fact that needs a source is here.` });
    expect(c4(`${paragraphs(6)} {`)).toEqual({ reason: "a curly bracket" });
    expect(c4(`${paragraphs(6)}\nLorem ipsum dolor.`)).toEqual({ reason: "lorem ipsum" });
    expect(c4(paragraphs(2))).toEqual({ reason: "2 sentences" });
  });
});

describe("maskPii", () => {
  it("masks addresses, public networks and numbers whose check digits are right", () => {
    const masked: string[] = [];
    const text = "Write to ada.l+x@mail.example.co.uk, or (bob@b.org). 8.8.8.8, 192.168.0.1, 1.2.3.4.5, 300.1.1.1. Card 4111 1111 1111 1111, not 4111 1111 1111 1112. GB82 WEST 1234 5698 7654 32; GB82 WEST 1234 5698 7654 33. a@b @home user@localhost";
    expect(maskPii(text, undefined, (kind) => masked.push(kind))).toBe(
      "Write to <email>, or (<email>). <ip>, 192.168.0.1, 1.2.3.4.5, 300.1.1.1. Card <card>, not 4111 1111 1111 1112. <iban>; GB82 WEST 1234 5698 7654 33. a@b @home user@localhost",
    );
    expect(masked.toSorted()).toEqual(["card", "email", "email", "iban", "ip"]);
    expect(maskPii("a@b.org 8.8.8.8", ["ip"])).toBe("a@b.org <ip>");
  });

  it("is linear in texts made to be slow, and leaves what it does not know", () => {
    for (const unit of ["a", "a.", "1", "1.", "@", "a@", "A1", "AB12 CDEF "]) {
      const start = performance.now();
      maskPii(unit.repeat(400_000 / unit.length));
      expect(performance.now() - start).toBeLessThan(5000);
    }
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", ".", " ", "x", "é") }), (text) => void expect(maskPii(text)).toBe(text)));
  });
});

describe("createCleaner", () => {
  const prose = Array.from({ length: 8 }, (_, i) => `Sentence ${i} says that the ${words(i, 12).join(" ")} of the model have to be measured.`).join("\n");

  it("names the rule and the value, and masks what stays", async () => {
    const options: CleanOptions = { quality: ["fineweb", "c4", "gopher-quality"], languages: ["en"], mask: ["email"], ngrams: ngramsOf([words(77, 20).join(" ")]) };
    const { clean } = createCleaner(options, (text) => (text.includes("语") ? "zh" : "en"));
    expect(clean(bytes("短い 语言"))).toEqual({ rule: "language", detail: "zh" });
    expect(clean(bytes("Short text."))).toEqual({ rule: "c4", detail: "0 sentences" });
    expect(clean(bytes(`Read: ${words(77, 20).join(" ")}`))).toEqual({ rule: "ngrams", detail: "13 words from word 2 on are of a test" });
    expect(clean(bytes(`${prose}\nWrite to me at a@b.org today.`))).toEqual({ text: Uint8Array.from(bytes(`${prose}\nWrite to me at <email> today.`)), masked: { email: 1 } });
    const text = bytes("any");
    expect((createCleaner({}).clean(text) as { text: Uint8Array }).text).toBe(text);
    expect(() => createCleaner({ quality: ["best" as "c4"] })).toThrow(/rule "best", expected some of c4, gopher-repetition/);
    expect(() => createCleaner({ languages: ["en"] })).toThrow(ConfigError);
  });

  it("drops documents with blocked words and phrases, whole words only", () => {
    const { clean } = createCleaner({ blockedWords: ["Casino", "free  money!", "语言"] });
    expect(clean(bytes("Our CASINO, tonight"))).toEqual({ rule: "blocked-words", detail: "word 2 is blocked" });
    expect(clean(bytes("get free\nmoney at the casino"))).toEqual({ rule: "blocked-words", detail: "word 2 is blocked" });
    expect(clean(bytes("学语言模型"))).toEqual({ rule: "blocked-words", detail: "word 2 is blocked" });
    const text = bytes("casinos give money, free of charge; 语 言 are apart");
    expect(clean(bytes("casinos give money, free of charge"))).toEqual({ text: bytes("casinos give money, free of charge"), masked: {} });
    expect(clean(text)).toMatchObject({ rule: "blocked-words" }); // Han characters are words of their own, spaces or not
    expect(() => createCleaner({ blockedWords: ["..."] })).toThrow(new ConfigError('blocked words: "..." has 0 words, expected 1 to 64. Correct the list.'));
  });

  it("tells languages apart", async () => {
    const detect = await languageDetector();
    const texts = {
      en: "The model learns from text that people have written, and it grows while it learns.", zh: "语言模型从文本中学习，并在学习时成长。", fr: "Le modèle apprend à partir de textes écrits par des gens et il grandit en apprenant.",
      de: "Das Modell lernt aus Texten, die Menschen geschrieben haben, und wächst beim Lernen.", ru: "Модель учится на текстах, которые написали люди, и растёт во время обучения.", ja: "モデルは人々が書いた文章から学び、学びながら成長します。",
    };
    for (const [language, text] of Object.entries(texts)) expect(detect(text)).toBe(language);
    expect(detect(`${"menu | login | ".repeat(10)}${texts.de.repeat(60)}`)).toBe("de");
  });
});
