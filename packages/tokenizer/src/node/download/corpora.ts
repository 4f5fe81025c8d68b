import { FileError } from "@espalier/core";

const FORMAT = "espalier-corpora";
const VERSION = 1;

/** Files of a corpus: one address, or `count` of them, where `{000}` stands for the number with as many digits. */
export interface CorpusFiles {
  url: string;
  /** Default 1. */
  count?: number;
  /** Number of the first. Default 0. */
  first?: number;
  /** Of a single file, where they are known. */
  bytes?: number;
  sha256?: string;
}

/** A corpus that can be downloaded. */
export interface PublicCorpus {
  name: string;
  description: string;
  /** SPDX expression, or what the publisher says. */
  licence: string;
  homepage: string;
  /** Key or column of the text. */
  textField: string;
  /** As stored, all files, as its publisher says; absent: not known. */
  storedBytes?: number;
  files: readonly CorpusFiles[];
}

/** Where Hugging Face serves the files of a dataset; its redirects declare the sha256 of each, which is checked. */
const dataset = (name: string, path: string): string => `https://huggingface.co/datasets/${name}/resolve/main/${path}`;
const datasetPage = (name: string): string => `https://huggingface.co/datasets/${name}`;

/** Well-known public corpora. The licence is that of the collection; single documents may have terms of their own. */
export const publicCorpora: readonly PublicCorpus[] = [
  {
    name: "tiny-shakespeare",
    description: "plays of Shakespeare, 1 MB: for first attempts",
    licence: "public domain (collection: MIT)",
    homepage: "https://github.com/karpathy/char-rnn",
    textField: "text",
    storedBytes: 1_115_394,
    files: [
      {
        url: "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        bytes: 1_115_394,
        sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
      },
    ],
  },
  {
    name: "wikitext-103",
    description: "good and featured articles of the English Wikipedia, 103 M words (training part)",
    licence: "CC-BY-SA-3.0 AND GFDL-1.3-or-later",
    homepage: datasetPage("Salesforce/wikitext"),
    textField: "text",
    files: [{ url: dataset("Salesforce/wikitext", "wikitext-103-raw-v1/train-{00000}-of-00002.parquet"), count: 2 }],
  },
  {
    name: "wikipedia-en",
    description: "articles of the English Wikipedia of November 2023",
    licence: "CC-BY-SA-3.0 AND GFDL-1.3-or-later",
    homepage: datasetPage("wikimedia/wikipedia"),
    textField: "text",
    files: [{ url: dataset("wikimedia/wikipedia", "20231101.en/train-{00000}-of-00041.parquet"), count: 41 }],
  },
  {
    name: "fineweb-edu-10bt",
    description: "educational pages of Common Crawl, a sample of 10 G tokens",
    licence: "ODC-By-1.0",
    homepage: datasetPage("HuggingFaceFW/fineweb-edu"),
    textField: "text",
    storedBytes: 28.5e9,
    files: [{ url: dataset("HuggingFaceFW/fineweb-edu", "sample/10BT/{000}_00000.parquet"), count: 14 }],
  },
  {
    name: "fineweb-10bt",
    description: "pages of Common Crawl, cleaned, a sample of 10 G tokens",
    licence: "ODC-By-1.0",
    homepage: datasetPage("HuggingFaceFW/fineweb"),
    textField: "text",
    files: [{ url: dataset("HuggingFaceFW/fineweb", "sample/10BT/{000}_00000.parquet"), count: 15 }],
  },
  {
    name: "c4-en",
    description: "English pages of Common Crawl of April 2019, cleaned by the C4 rules",
    licence: "ODC-By-1.0",
    homepage: datasetPage("allenai/c4"),
    textField: "text",
    storedBytes: 305e9,
    files: [{ url: dataset("allenai/c4", "en/c4-train.{00000}-of-01024.json.gz"), count: 1024 }],
  },
  {
    name: "pile-uncopyrighted",
    description: "the Pile without the parts whose owners objected",
    licence: "mixed, see its page",
    homepage: datasetPage("monology/pile-uncopyrighted"),
    textField: "text",
    files: [{ url: dataset("monology/pile-uncopyrighted", "train/{00}.jsonl.zst"), count: 30 }],
  },
];

/** All files of a corpus, in order. */
export function filesOf({ files }: Pick<PublicCorpus, "files">): { url: string; bytes?: number; sha256?: string }[] {
  return files.flatMap(({ url, count = 1, first = 0, ...rest }) =>
    Array.from({ length: count }, (_, i) => ({ url: url.replace(/\{(0+)\}/, (_, zeros: string) => String(first + i).padStart(zeros.length, "0")), ...rest })),
  );
}

/**
 * Reads a list of corpora of one's own: `{"format":"espalier-corpora","version":1,"corpora":[...]}`, each as
 * `PublicCorpus`.
 *
 * @param where names the file in errors
 * @throws {FileError} naming the first entry that is not one
 */
export function readCorpora(text: string, where: string): PublicCorpus[] {
  let json: { format?: unknown; version?: unknown; corpora?: unknown } | undefined;
  try {
    json = (JSON.parse(text) as typeof json | null) ?? undefined;
  } catch {
    // said below
  }
  if (json?.format !== FORMAT || json.version !== VERSION || !Array.isArray(json.corpora)) {
    throw new FileError(`${where}: format ${String(json?.format ?? "unknown")}, expected ${FORMAT} version ${VERSION} with a list of corpora. Check the path.`);
  }
  return json.corpora.map((value: unknown, i: number) => {
    const corpus = value as Partial<PublicCorpus> | null;
    const wrong = problemOf(corpus);
    if (wrong !== undefined) throw new FileError(`${where}: corpus ${corpus?.name ?? i + 1}: ${wrong}. Correct the list.`);
    return corpus as PublicCorpus;
  });
}

function problemOf(corpus: Partial<PublicCorpus> | null): string | undefined {
  if (typeof corpus !== "object" || corpus === null) return "not an object, expected one";
  for (const key of ["name", "description", "licence", "homepage", "textField"] as const) {
    if (typeof corpus[key] !== "string" || corpus[key] === "") return `${key} is ${JSON.stringify(corpus[key])}, expected a text`;
  }
  if (!/^[\w.-]+$/.test(corpus.name!) || corpus.name!.startsWith(".")) return `name is ${JSON.stringify(corpus.name)}, expected letters, digits, ".", "-" and "_": it names a directory`;
  if (!Array.isArray(corpus.files) || corpus.files.length === 0) return "no files, expected at least one";
  for (const file of corpus.files as Partial<CorpusFiles>[]) {
    if (!URL.canParse(String(file.url)) || !/^https?:$/.test(new URL(file.url!).protocol)) return `url is ${JSON.stringify(file.url)}, expected http or https`;
    const { count = 1, first = 0, sha256, bytes } = file;
    if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(first) || first < 0) return `count is ${String(count)}, first ${String(first)}, expected whole numbers`;
    if (count > 1 && !/\{0+\}/.test(file.url!)) return `${count} files at one url, expected {000} in it for the number`;
    if (sha256 !== undefined && (!/^[0-9a-f]{64}$/.test(sha256) || count > 1)) return `sha256 is ${JSON.stringify(sha256)} of ${count} files, expected 64 hexadecimal digits of one`;
    if (bytes !== undefined && (!Number.isSafeInteger(bytes) || count > 1)) return `bytes is ${String(bytes)} of ${count} files, expected a whole number for one`;
  }
  return undefined;
}
