/**
 * Answers that are given again for as long as nothing is written: who reloads a page, goes back or opens it twice asks what
 * was asked before. Any transaction that ends forgets them all, so none can be old; and what they hold is bounded.
 */

interface Remembered {
  readonly answer: Promise<unknown>;
  /** Unknown until the answer is there. */
  rows: number;
}

/** Rows of all remembered answers; some hundred octets each. */
const mostRows = 40_000;
const mostAnswers = 64;
/** Characters of a question: a filter may be any text. */
const longestQuestion = 1_000;

export class AnswerMemory {
  /** Oldest use first. */
  readonly #answers = new Map<string, Remembered>();
  #writes = -1;
  #rows = 0;

  /**
   * The answer to a question that was asked before, after as many `writes`; else `ask` is asked for it. Answers are shared:
   * nobody may change them. `countRows` tells how large an answer is.
   */
  answer<Answer>(
    question: string,
    writes: number,
    ask: () => Promise<Answer>,
    countRows: (answer: Answer) => number,
  ): Promise<Answer> {
    if (writes > this.#writes) {
      this.#answers.clear();
      this.#rows = 0;
      this.#writes = writes;
    }
    if (writes < this.#writes || question.length > longestQuestion) return ask();
    const known = this.#answers.get(question);
    if (known) {
      this.#answers.delete(question);
      this.#answers.set(question, known);
      // The question names what it asks for, so the answer is of that kind.
      return known.answer as Promise<Answer>;
    }
    const answer = ask();
    const remembered: Remembered = { answer, rows: 0 };
    this.#answers.set(question, remembered);
    this.#shrink();
    answer.then(
      (found) => this.#weigh(question, remembered, countRows(found)),
      () => this.#forget(question, remembered),
    );
    return answer;
  }

  #weigh(question: string, remembered: Remembered, rows: number): void {
    if (this.#answers.get(question) !== remembered) return;
    remembered.rows = rows;
    this.#rows += rows;
    this.#shrink();
  }

  #forget(question: string, remembered: Remembered): void {
    if (this.#answers.get(question) !== remembered) return;
    this.#answers.delete(question);
    this.#rows -= remembered.rows;
  }

  /** Lets go of what was asked for longest ago. */
  #shrink(): void {
    for (const [question, remembered] of this.#answers) {
      if (this.#answers.size <= mostAnswers && this.#rows <= mostRows) return;
      this.#forget(question, remembered);
    }
  }
}
